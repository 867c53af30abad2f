"""The collection `sign_ups`: sign-ups that wait for a code by text. The database deletes expired ones."""

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument

from hub.accounts.pending_sign_up import PendingSignUp
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import translated


class MongoSignUps:
    """Implements `hub.records.ports.SignUpRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, sign_up: PendingSignUp) -> None:
        """Insert a sign-up."""
        with translated():
            await self._collection.insert_one(to_document(sign_up))

    async def set_code(self, sign_up_id: str, code_hash: str) -> None:
        """Store the code of a sign-up, if it is still there."""
        with translated():
            await self._collection.update_one({"_id": sign_up_id}, {"$set": {"codeHash": code_hash}})

    async def tried(self, sign_up_id: str) -> PendingSignUp | None:
        """Count a try and return the sign-up."""
        with translated():
            found = await self._collection.find_one_and_update(
                {"_id": sign_up_id}, {"$inc": {"tries": 1}}, return_document=ReturnDocument.AFTER
            )
        return from_document(PendingSignUp, found) if found else None

    async def remove(self, sign_up_id: str) -> None:
        """Delete a sign-up, if it is still there."""
        with translated():
            await self._collection.delete_one({"_id": sign_up_id})
