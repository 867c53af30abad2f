"""Inserts and replacements in one order and one round trip.

PyMongo's `bulk_write` on a collection sends one command for each run of one kind. Commands alternate between bookings
and changes, so a batch became as many round trips, each of which waits for a majority and its journals. So the inserts
of a mixed batch are sent as replacements of nothing, and the batch is one `update` command.

MongoDB 8.0 has a command for mixed batches, `bulkWrite`. The embedded engine acknowledges it before the write is in its
journal, whatever is asked for: in 14 of 40 kills, acknowledged writes of the last milliseconds were lost, and none with
`insert` and `update` (`tests/contracts/test_mongo_kills.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from hub.records.documents import Document
from hub.records.errors import duplicate_at


@dataclass(frozen=True)
class OrderedWrite:
    """A document, and what the stored one that it replaces has to meet; None: there must not be one of its `_id`."""

    document: Document
    base: Document | None


async def write_in_order(collection: AsyncIOMotorCollection[Document], writes: Sequence[OrderedWrite]) -> int | None:
    """Write one after the other; stop at the first that meets a unique index and return how many came before it.

    None: all are written. What replaces nothing is inserted, so that it meets the `_id` of a base that has changed.
    Raises the driver's error when anything else fails; then some may be written.
    """
    # 200 inserts that are upserts cost the embedded engine 38 ms, and 11 ms as inserts.
    inserts_only = all(write.base is None for write in writes)
    models = [InsertOne(write.document) if inserts_only else _replacement(write) for write in writes]
    try:
        await collection.bulk_write(models, ordered=True)
    except BulkWriteError as error:
        return duplicate_at(error)
    return None


def _replacement(write: OrderedWrite) -> ReplaceOne[Document]:
    # No document has version 0, so an insert replaces nothing and meets the `_id` if that is taken.
    base = {"_id": write.document["_id"], "version": 0} if write.base is None else write.base
    return ReplaceOne(base, write.document, upsert=True)
