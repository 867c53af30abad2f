"""The collection `attempts`: counters of attempts. The database deletes expired counters."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from hub.records.documents import BEYOND, Document
from hub.records.errors import translated


class MongoAttempts:
    """Implements `hub.records.ports.AttemptRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the counters of these keys that exist."""
        with translated():
            found = await self._collection.find({"_id": {"$in": list(keys)}}).to_list(None)
        return {document["_id"]: document["count"] for document in found}

    async def count(self, key: str, until: datetime) -> int:
        """Increment the counter of the key and return its new value."""
        with translated():
            while True:
                # Not an upsert: of two concurrent first upserts, the embedded engine returns no document to one.
                counted = await self._collection.find_one_and_update(
                    {"_id": key}, {"$inc": {"count": 1}}, return_document=ReturnDocument.AFTER
                )
                if counted is not None:
                    return int(counted["count"])
                with suppress(DuplicateKeyError):  # another caller inserted it first: increment that one
                    await self._collection.insert_one({"_id": key, "count": 1, "expiresAt": until})
                    return 1

    async def forget(self, prefixes: Collection[str]) -> None:
        """Remove the counters whose keys begin so."""
        with translated():
            for prefix in prefixes:
                await self._collection.delete_many({"_id": {"$gte": prefix, "$lt": prefix + BEYOND}})
