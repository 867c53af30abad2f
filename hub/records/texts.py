"""The collections `texts` (the outbox) and `text_positions` (the planning position of each doctor)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from hub.records.appointment_documents import LONG_AGO
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import translated
from hub.texting.text import (
    NO_ACCOUNT,
    UNSETTLED,
    URGENT,
    Line,
    StatusUpdate,
    Text,
    TextStatus,
    UrgentKind,
    statuses_below,
)

_DUPLICATE_KEY = 11000
_URGENT_DUE = "urgentDue"
"""A field that only an index uses. A planned text of an urgent kind has it, and no other: so these are found at once,
whatever waits. One that an earlier version of the hub planned has none, and leaves in its turn."""


class MongoTexts:
    """Implements `hub.texting.ports.TextRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add_all(self, texts: Sequence[Text]) -> int:
        """Insert the texts that do not exist yet and return how many."""
        if not texts:
            return 0
        with translated():
            try:
                await self._collection.insert_many([_document_of(text) for text in texts], ordered=False)
            except BulkWriteError as error:
                return len(texts) - _existing_count(error)
        return len(texts)

    async def by_id(self, text_id: str) -> Text | None:
        """Return the text."""
        return await self._one({"_id": text_id})

    async def by_sid(self, sid: str) -> Text | None:
        """Return the text with this Twilio SID."""
        return await self._one({"sid": sid})

    async def of_appointment(self, appointment_id: str) -> list[Text]:
        """Return the texts about an appointment, in the order in which they were planned."""
        return sorted(await self._find({"appointmentId": appointment_id}), key=_age)

    async def to_person(self, user_id: str, since: datetime) -> list[Text]:
        """Return the texts to a person about appointments that start at `since` or later, the last planned first."""
        found = await self._find({"userId": user_id, "start": {"$gte": since}})
        return sorted(found, key=_age, reverse=True)

    async def not_delivered(self, doctor_id: str, since: datetime) -> list[Text]:
        """Return the doctor's texts planned at `since` or later that reached nobody, the latest first."""
        found = await self._find({"doctorId": doctor_id, "createdAt": {"$gte": since}})
        return sorted((text for text in found if text.reached_nobody), key=_age, reverse=True)

    async def due(self, line: Line, until: datetime, limit: int, kind: UrgentKind | None = None) -> list[Text]:
        """Return at most `limit` planned texts of a line with `not_before` <= `until`, the longest waiting first."""
        if kind is None:
            by = "notBefore"
            wanted: Document = {"status": TextStatus.PLANNED, "line": line, by: {"$lte": until}}
        else:
            by = _URGENT_DUE
            wanted = {by: {"$gte": _urgent_due(line, kind, LONG_AGO), "$lte": _urgent_due(line, kind, until)}}
        with translated():
            found = await self._collection.find(wanted, sort=[(by, ASCENDING)], limit=limit).to_list(None)
        return [_text_of(document) for document in found]

    async def sent_between(self, line: Line, after: datetime, until: datetime) -> list[Text]:
        """Return the texts of a line with status `sent` and `not_before` in (after, until]."""
        wanted = {"status": TextStatus.SENT, "line": line, "notBefore": {"$gt": after, "$lte": until}}
        return sorted(await self._find(wanted), key=_age)

    async def unsettled(self, until: datetime) -> list[Text]:
        """Return the texts with status `sending` or `unknown` that were last updated at `until` or before."""
        # There are few such texts, so an index by status suffices. One read per status: for $in together with a
        # range, the embedded engine scans the collection.
        found = [text for status in sorted(UNSETTLED) for text in await self._find({"status": status})]
        return [text for text in found if text.updated_at <= until]

    async def claim(self, text: Text, now: datetime) -> Text | None:
        """Move a planned text to `sending` and count the attempt, unless it has changed since it was read."""
        changes = {"status": TextStatus.SENDING, "attempts": text.attempts + 1, "updated_at": now}
        # The condition makes the claim exclusive: of two workers that read the same text, one matches nothing.
        wanted = {"_id": text.id, "status": TextStatus.PLANNED, "attempts": text.attempts}
        return text.model_copy(update=changes) if await self._set(wanted, changes) else None

    async def settle(self, text_id: str, news: StatusUpdate, now: datetime) -> bool:
        """Move a text up to the status of the update."""
        below = {"$in": sorted(statuses_below(news.status))}
        told = {"error_code": news.error_code, "reason": news.reason}
        changes = {"status": news.status, "updated_at": now, **_known(told)}
        if news.sid:
            # One write for both. It matches nothing if the text has another SID, or a status that is not below.
            wanted = {"_id": text_id, "status": below, "sid": {"$in": [None, news.sid]}}
            if await self._set(wanted, changes | {"sid": news.sid}):
                return True
            await self._set({"_id": text_id, "sid": {"$exists": False}}, {"sid": news.sid})
        return await self._set({"_id": text_id, "status": below}, changes)

    async def postpone(
        self, text: Text, not_before: datetime, now: datetime, error_code: int | None = None
    ) -> Text | None:
        """Move a text whose last attempt sent nothing back to `planned`, unless it has changed since."""
        changes = {"status": TextStatus.PLANNED, "not_before": not_before, "updated_at": now}
        return await self._put_back(text, changes | _known({"error_code": error_code}))

    async def repair(self, text: Text, now: datetime) -> Text | None:
        """Move a text that Twilio does not list back to `planned` and count the repair, unless it has changed since."""
        changes = {"status": TextStatus.PLANNED, "not_before": now, "updated_at": now, "repairs": text.repairs + 1}
        return await self._put_back(text, changes)

    async def delete_before(self, instant: datetime) -> int:
        """Delete the texts whose last planned time is before an instant; return how many."""
        # By an index that is there already: one for this alone would cost each booking a write.
        wanted = (
            {"status": status, "line": line, "notBefore": {"$lt": instant}}
            for status in TextStatus
            for line in get_args(Line)
        )
        with translated(None):
            return sum([(await self._collection.delete_many(each)).deleted_count for each in wanted])

    async def delete_of_sign_ups(self, instant: datetime) -> int:
        """Delete the codes of sign-ups that became useless before an instant; return how many."""
        with translated(None):
            gone = await self._collection.delete_many({"userId": NO_ACCOUNT, "start": {"$lt": instant}})
        return gone.deleted_count

    async def erase(self, user_id: str, now: datetime) -> None:
        """Remove numbers and words from the texts to a person; those that wait are skipped."""
        waiting = {"userId": user_id, "status": TextStatus.PLANNED}
        skipped = {"status": TextStatus.SKIPPED, "reason": "erased", "updatedAt": now}
        with translated():
            await self._collection.update_many(waiting, {"$set": skipped, "$unset": {_URGENT_DUE: ""}})
            await self._collection.update_many({"userId": user_id}, {"$set": {"body": ""}, "$unset": {"phone": ""}})

    async def _put_back(self, text: Text, changes: Mapping[str, object]) -> Text | None:
        wanted = {"_id": text.id, "status": {"$in": sorted(UNSETTLED)}, "attempts": text.attempts}
        after = text.model_copy(update=changes)
        return after if await self._set(wanted, changes, _marks_of(after)) else None

    async def _set(
        self, wanted: Document, changes: Mapping[str, object], marks: Mapping[str, str] | None = None
    ) -> bool:
        """Change fields of the one text that matches. Returns whether one matched."""
        fields = {str(Text.model_fields[name].alias): value for name, value in changes.items()} | dict(marks or {})
        update: Document = {"$set": fields}
        if not marks and "status" in changes:
            update["$unset"] = {_URGENT_DUE: ""}
        with translated():
            updated = await self._collection.update_one(wanted, update)
        return updated.matched_count == 1

    async def _one(self, wanted: Document) -> Text | None:
        return next(iter(await self._find(wanted)), None)

    async def _find(self, wanted: Document) -> list[Text]:
        with translated():
            found = await self._collection.find(wanted).to_list(None)
        return [_text_of(document) for document in found]


class MongoTextPositions:
    """Implements `hub.texting.ports.TextPositions`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def read(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the position of each doctor, 0 if no texts have been planned for that doctor."""
        with translated():
            found = await self._collection.find({"_id": {"$in": list(doctor_ids)}}).to_list(None)
        return dict.fromkeys(doctor_ids, 0) | {document["_id"]: document["seq"] for document in found}

    async def advance(self, positions: Mapping[str, int]) -> None:
        """Move each doctor's position up to the given one. A position never moves back."""
        further = [UpdateOne({"_id": doctor}, {"$max": {"seq": seq}}, upsert=True) for doctor, seq in positions.items()]
        with translated():
            try:
                await self._collection.bulk_write(further, ordered=False)
            except BulkWriteError as error:
                _existing_count(error)  # another worker has just inserted a doctor's first position
                await self._collection.bulk_write(further, ordered=False)


def _document_of(text: Text) -> Document:
    return {**to_document(text), **_marks_of(text)}


def _text_of(document: Document) -> Text:
    return from_document(Text, {name: value for name, value in document.items() if name != _URGENT_DUE})


def _marks_of(text: Text) -> dict[str, str]:
    """Return the fields that only indexes use."""
    kind = next((kind for kind in URGENT if kind == text.kind), None)
    if kind is None or text.status is not TextStatus.PLANNED:
        return {}
    return {_URGENT_DUE: _urgent_due(text.line, kind, text.not_before)}


def _urgent_due(line: Line, kind: UrgentKind, at: datetime) -> str:
    """Return the indexed value. The values of a line and a kind are in the order of their times."""
    return f"{line} {kind} {at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}"


def _existing_count(error: BulkWriteError) -> int:
    """Return how many documents already existed. Re-raises any other failure."""
    problems, unsure = error.details["writeErrors"], error.details["writeConcernErrors"]
    if unsure or any(problem["code"] != _DUPLICATE_KEY for problem in problems):
        raise error
    return len(problems)


def _known(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value is not None}


def _age(text: Text) -> tuple[datetime, int, str]:
    return text.created_at, text.seq, text.id
