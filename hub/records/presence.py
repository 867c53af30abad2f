"""The collection `presence`: who of those who wait is connected. Who is not marked again is forgotten."""

from collections.abc import Collection
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from hub.records.documents import Document
from hub.records.errors import DUPLICATE_KEY, translated


class MongoPresence:
    """Implements `hub.records.ports.PresenceRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def mark(self, patient_ids: Collection[str], until: datetime) -> None:
        """Note that these patients are connected, until the instant at the latest."""
        # Of two concurrent upserts of one patient, one is refused; both are of the same seconds.
        marks = [UpdateOne({"_id": id_}, {"$max": {"expiresAt": until}}, upsert=True) for id_ in sorted(patient_ids)]
        if not marks:
            return
        with translated():
            try:
                await self._collection.bulk_write(marks, ordered=False)
            except BulkWriteError as error:
                if any(problem["code"] != DUPLICATE_KEY for problem in error.details["writeErrors"]):
                    raise

    async def connected(self, now: datetime) -> set[str]:
        """Return the patients who are noted to be connected."""
        with translated():
            found = await self._collection.find({"expiresAt": {"$gt": now}}, {"_id": 1}).to_list(None)
        return {document["_id"] for document in found}
