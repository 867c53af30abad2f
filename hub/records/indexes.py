"""The indexes of all collections. Unique indexes are fences: they prevent conflicting writes of any process.

Reads use ordinary indexes only: the embedded engine scans the collection if only a partial index matches.
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
from hub.scheduling.values import ACTIVE, HOLDING

log = structlog.get_logger(__name__)

BUILD_TIMEOUT = 3600.0
"""Seconds to build the missing indexes of a collection. The server aborts a build when its command times out, so this
is far longer than a build takes. It ends a build that waits for a member that is down."""
_CONFLICTING_INDEX = {85, 86}
"""IndexOptionsConflict and IndexKeySpecsConflict: another index has the same fields or the same name."""
_UNKNOWN_OPTION = {2, 9, 72, 40415}
"""BadValue, FailedToParse, InvalidOptions, unknown field: answers of a server that does not support `commitQuorum`."""
_NO_SUCH_INDEX = 27
_DEFINITION = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
"""Options that are part of an index definition, besides its fields."""

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "appointments": [
        IndexModel(
            [("doctorId", ASCENDING), ("start", ASCENDING)],
            name=Fence.DOCTOR_SLOT.value,
            unique=True,
            partialFilterExpression={"status": {"$in": sorted(ACTIVE)}},
        ),
        # The same for offers beside them. The other order of the fields: an index is told from another by its fields.
        IndexModel(
            [("start", ASCENDING), ("doctorId", ASCENDING)],
            name="held_slot",
            unique=True,
            partialFilterExpression={"status": {"$in": sorted(HOLDING)}},
        ),
        IndexModel(
            [("doctorId", ASCENDING), ("history.seq", ASCENDING)],
            name=Fence.DOCTOR_SEQ.value,
            unique=True,
        ),
        # Sparse, because an inactive appointment occupies no time of its patient.
        IndexModel([("patientTimes", ASCENDING)], name=Fence.PATIENT_TIME.value, unique=True, sparse=True),
        # Sparse as well: only few appointments are open offers, were offered, or are entries of the waitlist.
        IndexModel([("offeredTo", ASCENDING)], name=Fence.OPEN_OFFER.value, unique=True, sparse=True),
        IndexModel([("offerOf", ASCENDING)], name="offers", sparse=True),
        IndexModel([("lineOf", ASCENDING)], name="line", sparse=True),
        IndexModel([("waiter", ASCENDING)], name="of_waiter", sparse=True),
        IndexModel([("history.commandId", ASCENDING)], name=Fence.COMMAND.value, unique=True),
        IndexModel([("doctorId", ASCENDING), ("start", ASCENDING), ("_id", ASCENDING)], name="of_doctor"),
        IndexModel([("patientId", ASCENDING), ("start", ASCENDING), ("_id", ASCENDING)], name="of_patient"),
        IndexModel([("due", ASCENDING)], name="due"),
    ],
    "users": [
        IndexModel([("email", ASCENDING)], name="email", unique=True),
        IndexModel([("phone", ASCENDING)], name="phone", unique=True, sparse=True),  # not every account has one
        IndexModel([("contactPhone", ASCENDING)], name="contact_phone", sparse=True),
        IndexModel([("role", ASCENDING)], name="role"),
        IndexModel([("joinedInto.at", ASCENDING)], name="joined", sparse=True),  # only few are joined
        IndexModel([("changedAt", ASCENDING)], name="changed", sparse=True),  # older accounts have none
        IndexModel([("erased.lookUntil", ASCENDING)], name="erased", sparse=True),  # only for a while
    ],
    "attempts": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "codes": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "sign_ups": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "sessions": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
        IndexModel([("userId", ASCENDING)], name="of_user"),
        IndexModel([("revokedAt", ASCENDING)], name="revoked", sparse=True),
    ],
    "access_log": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
        IndexModel([("people", ASCENDING), ("at", ASCENDING)], name="about"),
        IndexModel([("by", ASCENDING), ("at", ASCENDING)], name="by"),
        IndexModel([("sameAs", ASCENDING)], name="same_as", sparse=True),
        IndexModel([("doctors", ASCENDING)], name="streams", sparse=True),  # only lines about sockets have it
    ],
    "day_plans": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "presence": [
        IndexModel([("expiresAt", ASCENDING)], name="expired", expireAfterSeconds=0),
    ],
    "inbound_texts": [
        IndexModel([("phone", ASCENDING), ("receivedAt", ASCENDING)], name="of_phone"),
        IndexModel([("receivedAt", ASCENDING)], name="received"),
    ],
    "texts": [
        # Do not append a field: with another field behind, the embedded engine excludes the upper bound of a `$lte`.
        IndexModel([("status", ASCENDING), ("line", ASCENDING), ("notBefore", ASCENDING)], name="waiting"),
        IndexModel([("urgentDue", ASCENDING)], name="urgent", sparse=True),  # only few are urgent, and wait
        IndexModel([("appointmentId", ASCENDING)], name="of_appointment"),
        IndexModel([("userId", ASCENDING), ("start", ASCENDING)], name="of_user"),
        IndexModel([("doctorId", ASCENDING), ("createdAt", ASCENDING)], name="of_doctor"),
        IndexModel([("sid", ASCENDING)], name="by_sid", sparse=True),  # most texts have none yet
    ],
}

_DROPPED: Mapping[str, Sequence[str]] = {"appointments": ["of_doctor_by_status"]}
"""Indexes of earlier versions that no read uses any more. Each costs at every write."""


async def make(
    database: AsyncIOMotorDatabase[Document], *, fences_only: bool, commit_quorum: bool, within: float = BUILD_TIMEOUT
) -> None:
    """Create the missing indexes and drop those of earlier versions; with `fences_only` only create the unique ones.

    With `commit_quorum` a build is complete when a majority of the members has the index. By default a build waits for
    all voting members, so it never ends while one is down. Raises `BrokenRecord` if the data or another index
    conflicts, and `StoreUnavailable` after `within` seconds.
    """
    for name in INDEXES:
        with translated():
            lacking = await _lacking(database, name)
        wanted = [one for one in lacking if one.document.get("unique") or not fences_only]
        if not wanted:
            continue
        names, began = [one.document["name"] for one in wanted], monotonic()
        log.info("indexes_missing", collection=name, indexes=names, action="creating them")
        with translated(within):
            await _build(database[name], wanted, commit_quorum=commit_quorum)
        log.info("indexes_created", collection=name, indexes=names, seconds=round(monotonic() - began, 3))
    if not fences_only:
        await _drop_old(database)


async def _drop_old(database: AsyncIOMotorDatabase[Document]) -> None:
    for collection, names in _DROPPED.items():
        with translated():
            there = await database[collection].index_information()
        for name in there.keys() & set(names):
            with translated():
                try:
                    await database[collection].drop_index(name)
                except OperationFailure as error:
                    if error.code != _NO_SUCH_INDEX:  # else another process was faster
                        raise
            log.info("index_dropped", collection=collection, index=name)


async def missing(database: AsyncIOMotorDatabase[Document]) -> list[tuple[str, str]]:
    """Return the (collection, name) of each index that is missing or has another definition."""
    return [(name, one.document["name"]) for name in INDEXES for one in await _lacking(database, name)]


async def _lacking(database: AsyncIOMotorDatabase[Document], collection: str) -> list[IndexModel]:
    there = await database[collection].index_information()
    return [one for one in INDEXES[collection] if not _is_there(one.document, there.get(one.document["name"]))]


def _is_there(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> bool:
    if found is None or list(wanted["key"].items()) != [tuple(each) for each in found["key"]]:
        return False
    # A server may omit an option that is false, or return it as false.
    return all((wanted.get(part) or None) == (found.get(part) or None) for part in _DEFINITION)


async def _build(
    collection: AsyncIOMotorCollection[Document], wanted: Sequence[IndexModel], *, commit_quorum: bool
) -> None:
    options: dict[str, Any] = {"commitQuorum": "majority"} if commit_quorum else {}
    try:
        await collection.create_indexes(wanted, **options)
    except DuplicateKeyError:
        if len(wanted) > 1:  # build one at a time to find out which; not every server names the fields
            for one in wanted:
                await _build(collection, [one], commit_quorum=commit_quorum)
            return
        fields = ", ".join(wanted[0].document["key"])
        says = f"documents in {collection.name!r} have equal values in the fields of a unique index: {fields}"
        raise BrokenRecord(says) from None
    except OperationFailure as error:
        if commit_quorum and error.code in _UNKNOWN_OPTION:
            await _build(collection, wanted, commit_quorum=False)
        elif error.code in _CONFLICTING_INDEX:
            # The full message: here the server quotes indexes, not documents.
            words = (error.details or {}).get("errmsg", error.code)
            says = f"{collection.name!r} has another index with the name or the fields of one of ours: {words}"
            raise DatabaseRefuses(says) from None
        else:
            raise
