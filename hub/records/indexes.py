"""The indexes of every collection. A unique one is a fence: what no two documents may share, whoever writes them.

Reads lean on ordinary indexes only: the embedded engine scans the collection where only a partial index would help.
"""

from collections.abc import Mapping, Sequence

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from hub.records.documents import Document
from hub.records.errors import BrokenRecord
from hub.records.ports import Fence
from hub.scheduling.values import ACTIVE

_ANOTHER_DEFINITION = {85, 86}
"""IndexOptionsConflict and IndexKeySpecsConflict: the name or the fields are taken by another index."""

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "appointments": [
        IndexModel(
            [("doctorId", ASCENDING), ("start", ASCENDING)],
            name=Fence.DOCTOR_SLOT.value,
            unique=True,
            partialFilterExpression={"status": {"$in": sorted(ACTIVE)}},
        ),
        IndexModel(
            [("doctorId", ASCENDING), ("history.seq", ASCENDING)],
            name=Fence.DOCTOR_SEQ.value,
            unique=True,
        ),
        # Sparse, because an appointment that is not active holds no time of its patient.
        IndexModel([("patientTimes", ASCENDING)], name=Fence.PATIENT_TIME.value, unique=True, sparse=True),
        IndexModel([("history.commandId", ASCENDING)], name=Fence.COMMAND.value, unique=True),
        IndexModel([("doctorId", ASCENDING), ("start", ASCENDING), ("_id", ASCENDING)], name="of_doctor"),
        IndexModel([("doctorId", ASCENDING), ("status", ASCENDING), ("start", ASCENDING)], name="of_doctor_by_status"),
        IndexModel([("patientId", ASCENDING), ("start", ASCENDING), ("_id", ASCENDING)], name="of_patient"),
        IndexModel([("due", ASCENDING)], name="due"),
    ],
    "users": [
        IndexModel([("email", ASCENDING)], name="email", unique=True),
        IndexModel([("phone", ASCENDING)], name="phone", unique=True, sparse=True),  # not everybody has one
        IndexModel([("role", ASCENDING)], name="role"),
    ],
    "attempts": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "sessions": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
        IndexModel([("userId", ASCENDING)], name="of_user"),
        IndexModel([("revokedAt", ASCENDING)], name="revoked", sparse=True),
    ],
    "texts": [
        # Not one field longer: with another behind it the embedded engine leaves out the upper end of a `$lte`.
        IndexModel([("status", ASCENDING), ("line", ASCENDING), ("notBefore", ASCENDING)], name="waiting"),
        IndexModel([("appointmentId", ASCENDING)], name="of_appointment"),
        IndexModel([("userId", ASCENDING), ("start", ASCENDING)], name="of_user"),
        IndexModel([("doctorId", ASCENDING), ("createdAt", ASCENDING)], name="of_doctor"),
        IndexModel([("sid", ASCENDING)], name="by_sid", sparse=True),  # most of the time a text has none
    ],
}


async def make(database: AsyncIOMotorDatabase[Document]) -> None:
    """Make every index that is not there yet. Raises `BrokenRecord` when the data or another index is in the way."""
    for name, indexes in INDEXES.items():
        try:
            await database[name].create_indexes(indexes)
        except DuplicateKeyError as error:
            fields = ", ".join((error.details or {}).get("keyPattern", ()))
            raise BrokenRecord(f"documents in {name!r} share what a unique index keeps apart: {fields}") from None
        except OperationFailure as error:
            if error.code not in _ANOTHER_DEFINITION:
                raise
            raise BrokenRecord(f"{name!r} has another index in the place of one of ours: {_text(error)}") from None


async def missing(database: AsyncIOMotorDatabase[Document]) -> list[tuple[str, str]]:
    """Return the (collection, name) of each index that is not there, or has other fields, or is not unique."""
    lacking = []
    for collection, wanted in INDEXES.items():
        there = await database[collection].index_information()
        for index in (model.document for model in wanted):
            found = there.get(index["name"], {})
            same_fields = list(index["key"].items()) == [tuple(each) for each in found.get("key", ())]
            if not same_fields or bool(index.get("unique")) != bool(found.get("unique")):
                lacking.append((collection, index["name"]))
    return lacking


def _text(error: OperationFailure) -> str:
    return str((error.details or {}).get("errmsg", error.code))
