"""The collection `attempts`: how often something was tried. The database removes old counts."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from hub.records.documents import Document
from hub.records.errors import translated


class MongoAttempts:
    """Implements `hub.records.ports.AttemptRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return what was counted under each of the keys that has something."""
        with translated():
            found = await self._collection.find({"_id": {"$in": list(keys)}}).to_list(None)
        return {document["_id"]: document["count"] for document in found}

    async def count(self, key: str, until: datetime) -> int:
        """Count one more under the key and return how many that makes."""
        with translated():
            while True:
                # Not as an upsert: of two that are the first at once, the embedded engine tells one nothing.
                counted = await self._collection.find_one_and_update(
                    {"_id": key}, {"$inc": {"count": 1}}, return_document=ReturnDocument.AFTER
                )
                if counted is not None:
                    return int(counted["count"])
                with suppress(DuplicateKeyError):  # somebody else was the first; now there is one to add to
                    await self._collection.insert_one({"_id": key, "count": 1, "expiresAt": until})
                    return 1
