"""The indexes of every collection. A unique one is a fence: what no two documents may share, whoever writes them.

Reads lean on ordinary indexes only: the embedded engine scans the collection where only a partial index would help.
"""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import structlog
from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from hub.records.documents import Document
from hub.records.errors import BrokenRecord, DatabaseRefuses, translated
from hub.records.ports import Fence
from hub.scheduling.values import ACTIVE

log = structlog.get_logger(__name__)

BUILT_WITHIN = 3600.0
"""Seconds for the build of a collection's missing indexes. The server gives up a build whose command has run out of
time, so this is far longer than a build takes; it ends one that waits for a member which is down."""
_ANOTHER_DEFINITION = {85, 86}
"""IndexOptionsConflict and IndexKeySpecsConflict: the name or the fields are taken by another index."""
_NOT_UNDERSTOOD = {2, 9, 72, 40415}
"""BadValue, FailedToParse, InvalidOptions and an unknown field: what a server answers that knows no `commitQuorum`."""
_DEFINITION = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
"""What makes an index another one, beside its fields."""

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


async def make(
    database: AsyncIOMotorDatabase[Document], *, fences_only: bool, commit_quorum: bool, within: float = BUILT_WITHIN
) -> None:
    """Make every index that is not there yet; of the unique ones only when `fences_only`.

    With `commit_quorum` a build is done when a majority of the members has the index: by default it waits for all
    that vote, and so for ever while one is down.
    Raises `BrokenRecord` when the data or another index is in the way, `StoreUnavailable` when `within` (seconds) has
    passed.
    """
    for name in INDEXES:
        with translated():
            lacking = await _lacking(database, name)
        wanted = [one for one in lacking if one.document.get("unique") or not fences_only]
        if not wanted:
            continue
        names, began = [one.document["name"] for one in wanted], monotonic()
        log.info("indexes_missing", collection=name, indexes=names, doing="making them")
        with translated(within):
            await _build(database[name], wanted, commit_quorum=commit_quorum)
        log.info("indexes_made", collection=name, indexes=names, seconds=round(monotonic() - began, 3))


async def missing(database: AsyncIOMotorDatabase[Document]) -> list[tuple[str, str]]:
    """Return the (collection, name) of each index that is not there, or is defined otherwise."""
    return [(name, one.document["name"]) for name in INDEXES for one in await _lacking(database, name)]


async def _lacking(database: AsyncIOMotorDatabase[Document], collection: str) -> list[IndexModel]:
    there = await database[collection].index_information()
    return [one for one in INDEXES[collection] if not _is_there(one.document, there.get(one.document["name"]))]


def _is_there(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    if found is None or list(wanted["key"].items()) != [tuple(each) for each in found["key"]]:
        return False
    # A server may leave out what is false, or say it.
    return all((wanted.get(part) or None) == (found.get(part) or None) for part in _DEFINITION)


async def _build(
    collection: AsyncIOMotorCollection[Document], wanted: Sequence[IndexModel], *, commit_quorum: bool
) -> None:
    options: dict[str, Any] = {"commitQuorum": "majority"} if commit_quorum else {}
    try:
        await collection.create_indexes(wanted, **options)
    except DuplicateKeyError:
        if len(wanted) > 1:  # one after the other shows which it is; not every server names the fields
            for one in wanted:
                await _build(collection, [one], commit_quorum=commit_quorum)
            return
        fields = ", ".join(wanted[0].document["key"])
        says = f"documents in {collection.name!r} share what a unique index keeps apart: {fields}"
        raise BrokenRecord(says) from None
    except OperationFailure as error:
        if commit_quorum and error.code in _NOT_UNDERSTOOD:
            await _build(collection, wanted, commit_quorum=False)
        elif error.code in _ANOTHER_DEFINITION:
            # In full: what the server quotes here are indexes, not documents.
            words = (error.details or {}).get("errmsg", error.code)
            says = f"{collection.name!r} has another index in the place of one of ours: {words}"
            raise DatabaseRefuses(says) from None
        else:
            raise
