"""The collection `codes`: codes that were texted. The database deletes expired ones."""

from collections.abc import Collection

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument

from hub.accounts.account import OneTimeCode
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import translated


class MongoCodes:
    """Implements `hub.records.ports.CodeRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def put(self, code: OneTimeCode) -> None:
        """Store a code in place of the one before."""
        with translated():
            await self._collection.replace_one({"_id": code.id}, to_document(code), upsert=True)

    async def tried(self, code_id: str) -> OneTimeCode | None:
        """Count a try and return the code."""
        with translated():
            found = await self._collection.find_one_and_update(
                {"_id": code_id}, {"$inc": {"tries": 1}}, return_document=ReturnDocument.AFTER
            )
        return from_document(OneTimeCode, found) if found else None

    async def use(self, code: OneTimeCode) -> bool:
        """Remove the code."""
        with translated():
            removed = await self._collection.delete_one({"_id": code.id, "codeHash": code.code_hash})
        return removed.deleted_count == 1

    async def forget(self, code_ids: Collection[str]) -> None:
        """Remove these codes."""
        with translated():
            await self._collection.delete_many({"_id": {"$in": list(code_ids)}})
