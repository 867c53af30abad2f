"""The collection `appointments`: one document is an appointment's state, audit trail and outbox at once.

A doctor's timetable, once it has been changed, is a document of this collection too, so that it shares the fences. It
has neither `start` nor `patientId`: what asks for one of them does not meet it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import DESCENDING, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from hub.records.chunks import chunked
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import StoreUnavailable, translated
from hub.records.event_log import recorded_events
from hub.records.overlap import quarters
from hub.records.ports import After, AppointmentFilter, Deadline, Fence, Saved, SaveOutcome, Stale, Stopped
from hub.records.range_scan import RangeScan
from hub.scheduling.aggregate import Aggregate, base_version, is_booking, latest_events
from hub.scheduling.appointment import Appointment
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id
from hub.scheduling.statistics import Outcome
from hub.scheduling.values import ACTIVE, Status, rfc3339

_DUPLICATE_KEY = 11000
_LONG_AGO = datetime(1000, 1, 1, tzinfo=UTC)
"""Before any instant."""
_NEAR = 64
"""So many of a doctor's events are read in an instant."""


class MongoAppointments:
    """Implements `hub.records.ports.AppointmentRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def save(self, aggregates: Sequence[Aggregate]) -> SaveOutcome:
        """Write in order with one bulk write, which the database stops at the first that fails."""
        if not aggregates:
            return Saved()
        writes = [_write(aggregate) for aggregate in aggregates]
        with translated():
            try:
                await self._collection.bulk_write(writes, ordered=True)
            except BulkWriteError as error:
                written = _stopped_at(error)
                return await self._why(aggregates[written], written)
        return Saved()

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""
        return {found.id: found for part in chunked(ids) for found in await self._find({"_id": {"$in": part}})}

    async def by_command(self, command_id: str) -> Aggregate | None:
        """Return the appointment or the timetable whose history holds the command."""
        return next(iter(await self._find_any({"history.commandId": command_id})), None)

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        """Return the timetables of these doctors that were ever changed."""
        found = await self._find_any({"_id": {"$in": [schedule_id(doctor_id) for doctor_id in doctor_ids]}})
        return {one.doctor_id: one for one in found if isinstance(one, ScheduleRecord)}

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the active appointments of the doctors from `since` on, ordered by start."""
        # One read a doctor, and the status looked at here: with $in beside a range the embedded engine scans.
        reads = (self._find({"doctorId": doctor_id, "start": {"$gte": since}}) for doctor_id in doctor_ids)
        found = [appointment for of_doctor in await asyncio.gather(*reads) for appointment in of_doctor]
        return sorted((one for one in found if one.active), key=lambda one: (one.start, one.id))

    async def slot_owners(self, doctor_ids: Collection[str], since: datetime) -> dict[str, dict[datetime, str]]:
        """Return by doctor who has the slots from `since` on: the id of the active appointment by its start."""
        reads = (self._slots({"doctorId": doctor_id, "start": {"$gte": since}}) for doctor_id in doctor_ids)
        return dict(zip(doctor_ids, await asyncio.gather(*reads), strict=True))

    async def taken_starts(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts of the doctor's active appointments in [start_from, start_to)."""
        wanted = {"doctorId": doctor_id, "start": {"$gte": start_from, "$lt": start_to}}
        return set(await self._slots(wanted))

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an active appointment of that patient."""
        times = {pair: _patient_times(*pair) for pair in wanted}
        any_of = [time for of_pair in times.values() for time in of_pair]
        found = await self._fields({"patientTimes": {"$in": any_of}}, "patientTimes")
        held = {time for document in found for time in document["patientTimes"]}
        return {pair for pair, of_pair in times.items() if not held.isdisjoint(of_pair)}

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, in order of time."""
        # Without a lower end the embedded engine would also look at every appointment that has no deadline any more.
        found = await self._fields(
            {"due": {"$gte": _LONG_AGO, "$lte": until}}, "due", "dueKind", "doctorId", "start", "version"
        )
        deadlines = [
            Deadline(
                due=one["due"],
                kind=one["dueKind"],
                appointment_id=one["_id"],
                doctor_id=one["doctorId"],
                start=one["start"],
                version=one["version"],
            )
            for one in found
        ]
        return sorted(deadlines, key=lambda deadline: deadline.due)

    async def last_seq(self, doctor_id: str, known: int = 0) -> int:
        """Return the last `seq` of the doctor's history."""
        # Few documents are left to sort. With nothing known, the embedded engine would sort the whole history.
        last = await self._last_from(doctor_id, known) if known else 0
        return last or await self._last_from(doctor_id, await self._seq_reached(doctor_id))

    async def _last_from(self, doctor_id: str, reached: int) -> int:
        """Return the last `seq` of a history that has reached this one; 0 of one that has not."""
        wanted = {"doctorId": doctor_id, "history.seq": {"$gte": reached}}
        with translated():
            last = await self._collection.find_one(wanted, {"history.seq": 1}, sort=[("history.seq", DESCENDING)])
        return max(event["seq"] for event in last["history"]) if last else 0

    async def _seq_reached(self, doctor_id: str) -> int:
        """Return a number not far below the last one of the doctor's history, 0 when there is none.

        No number is missing in a history, so a few of them tell where it ends.
        """
        reached = gap = await self._furthest(doctor_id, [2**power for power in range(32)])
        while gap > _NEAR:
            gap = -(-gap // _NEAR)
            furthest = await self._furthest(doctor_id, [reached + step * gap for step in range(1, _NEAR + 1)])
            reached = max(reached, furthest)
        return reached

    async def _furthest(self, doctor_id: str, numbers: Collection[int]) -> int:
        """Return the highest of the numbers that the doctor's history has reached, 0 for none."""
        found = await self._fields({"doctorId": doctor_id, "history.seq": {"$in": list(numbers)}}, "history.seq")
        return max((event["seq"] for one in found for event in one["history"] if event["seq"] in numbers), default=0)

    async def events_after(
        self, doctor_id: str, after: int, limit: int = 1000, last: int | None = None
    ) -> list[RecordedEvent[Aggregate]]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`."""
        last = min(await self.last_seq(doctor_id, after) if last is None else last, after + limit)
        # The numbers one by one: of a range over an array MongoDB uses only one end, and a $elemMatch leaves the
        # index of the embedded engine. No number is missing, because a save stops at the first that fails.
        numbers = range(after + 1, last + 1)
        if not numbers:
            return []
        found = await self._find_any({"doctorId": doctor_id, "history.seq": {"$in": list(numbers)}})
        return recorded_events(found, numbers)

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return with which doctors each of the patients has appointments."""
        found: dict[str, set[str]] = {}
        for one in await self._fields({"patientId": {"$in": list(patient_ids)}}, "patientId", "doctorId"):
            found.setdefault(one["patientId"], set()).add(one["doctorId"])
        return found

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments ordered by (start, id), going on after `after`."""
        if wanted.patient_id is None and wanted.doctor_id is not None:
            return await self._page_of_doctor(wanted.doctor_id, wanted, limit, after)
        pipeline: list[Document] = [
            {"$match": _indexed(wanted, after)},
            {"$sort": {"start": 1, "_id": 1}},
            # A step of its own: beside the range it would keep the embedded engine from the index. MongoDB moves it up.
            {"$match": _unindexed(wanted, after)},
            {"$limit": limit},
        ]
        with translated():
            found = await self._collection.aggregate(pipeline).to_list(None)
        return [_appointment(document) for document in found]

    async def _page_of_doctor(
        self, doctor_id: str, wanted: AppointmentFilter, limit: int, after: After | None
    ) -> list[Appointment]:
        """Return the page from what may be the history of many years.

        The embedded engine reads every match before it sorts or limits, so it is asked for a stretch of time after the
        other; and for one status after the other, for beside a range it takes no second choice from an index.
        """
        first = await self._first_booked(doctor_id)
        if first is None:
            return []
        of_doctor: Document = {"doctorId": doctor_id}
        each = [of_doctor] if wanted.statuses is None else [of_doctor | {"status": one} for one in wanted.statuses]
        pages = await asyncio.gather(*(self._in_stretches(one, wanted, first, limit, after) for one in each))
        return sorted((one for page in pages for one in page), key=lambda one: (one.start, one.id))[:limit]

    async def _in_stretches(
        self, of: Document, wanted: AppointmentFilter, first: datetime, limit: int, after: After | None
    ) -> list[Appointment]:
        found: list[Appointment] = []
        stretches = RangeScan(_lowest(wanted, after), wanted.start_to, first, limit)
        while len(found) < limit and (stretch := stretches.next(len(found))):
            read = await self._find(of | {"start": stretch})
            found += [one for one in read if after is None or (one.start, one.id) > (after.start, after.id)]
        return found

    async def _first_booked(self, doctor_id: str) -> datetime | None:
        found = await self._fields({"doctorId": doctor_id, "history.seq": 1}, "history.seq", "history.at")
        return next((event["at"] for one in found for event in one["history"] if event["seq"] == 1), None)

    async def outcomes(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> list[Outcome]:
        """Return what became of the doctor's appointments in [start_from, start_to)."""
        # Read and counted here: on the embedded engine an aggregation that groups them takes longer than this.
        wanted = _indexed(AppointmentFilter(doctor_id=doctor_id, start_from=start_from, start_to=start_to), None)
        found = await self._fields(wanted, "start", "createdAt", "status")
        return [Outcome(one["start"], one["createdAt"], Status(one["status"])) for one in found]

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether there is, or was, an appointment of the two."""
        # Asked by the patient, who has few: the embedded engine might choose to read all of the doctor's.
        return any(one["doctorId"] == doctor_id for one in await self._fields({"patientId": patient_id}, "doctorId"))

    async def _why(self, refused: Aggregate, written: int) -> Stopped | Stale:
        """Return what refused a write, by asking the record.

        The database names one of the indexes that were in the way, and each engine another one; a change that met
        nothing but its own newer version is told as a duplicate too. So the answer is what the record shows, in an
        order that helps: a command that is applied already needs nothing else said.
        """
        command_id = refused.last.command_id
        if applied := await self._fields({"history.commandId": command_id}, "history.commandId"):
            events = sum(event["commandId"] == command_id for event in applied[0]["history"])
            repeated = is_booking(refused) and applied[0]["_id"] == refused.id and events == len(refused.history)
            return Stopped(written, Fence.APPOINTMENT if repeated else Fence.COMMAND)
        stored = await self._fields({"_id": refused.id}, "version", "history.commandId")
        if stored and not _is_base(stored[0], refused):
            return Stale(written)
        if await self._fields({"doctorId": refused.doctor_id, "history.seq": {"$in": _new_seqs(refused)}}, "_id"):
            return Stopped(written, Fence.DOCTOR_SEQ)
        if isinstance(refused, Appointment) and (fence := await self._time_taken(refused)):
            return Stopped(written, fence)
        raise StoreUnavailable("what refused the write is gone, or not acknowledged yet")

    async def _time_taken(self, refused: Appointment) -> Fence | None:
        """Return whose time it was that refused a write: the doctor's or the patient's."""
        at_that_time = await self._fields({"doctorId": refused.doctor_id, "start": refused.start}, "status")
        if any(found["status"] in ACTIVE and found["_id"] != refused.id for found in at_that_time):
            return Fence.DOCTOR_SLOT
        times = _patient_times(refused.patient_id, refused.start)
        if any(found["_id"] != refused.id for found in await self._fields({"patientTimes": {"$in": times}}, "_id")):
            return Fence.PATIENT_TIME
        return None

    async def _find(self, wanted: Document) -> list[Appointment]:
        with translated():
            found = await self._collection.find(wanted).to_list(None)
        return [_appointment(document) for document in found]

    async def _find_any(self, wanted: Document) -> list[Aggregate]:
        with translated():
            found = await self._collection.find(wanted).to_list(None)
        return [_aggregate(document) for document in found]

    async def _slots(self, wanted: Document) -> dict[datetime, str]:
        """Return the ids of the active appointments among those wanted, by start: a doctor has one at a time."""
        found = await self._fields(wanted, "start", "status")
        return {one["start"]: one["_id"] for one in found if one["status"] in ACTIVE}

    async def _fields(self, wanted: Document, *names: str) -> list[Document]:
        with translated():
            return await self._collection.find(wanted, dict.fromkeys(names, 1)).to_list(None)


def _write(aggregate: Aggregate) -> InsertOne[Document] | ReplaceOne[Document]:
    """Return the write of the latest command's events: an insert, or a replacement of the version it was decided on."""
    document = to_document(aggregate)
    if isinstance(aggregate, Appointment) and aggregate.active:
        document["patientTimes"] = _patient_times(aggregate.patient_id, aggregate.start)
    base = base_version(aggregate)
    if base == 0:
        return InsertOne(document)
    expected = {
        "_id": aggregate.id,
        "version": base,
        # A unique index keeps documents apart, not the entries of one document: that needs a condition.
        "history.commandId": {"$eq": aggregate.history[base - 1].command_id, "$ne": aggregate.last.command_id},
        "history.seq": {"$nin": _new_seqs(aggregate)},
    }
    # An upsert, so that a change whose base is gone meets the newer version's _id. That error stops the bulk write;
    # an update that matches nothing would not, and the next event would be written over a hole in the doctor's seq.
    return ReplaceOne(expected, document, upsert=True)


def _is_base(stored: Document, change: Aggregate) -> bool:
    base = base_version(change)
    return (
        base > 0
        and stored["version"] == base
        and stored["history"][-1]["commandId"] == change.history[base - 1].command_id
    )


def _new_seqs(aggregate: Aggregate) -> list[int]:
    return [event.seq for event in latest_events(aggregate)]


def _aggregate(document: Mapping[str, Any]) -> Aggregate:
    return _appointment(document) if "patientId" in document else from_document(ScheduleRecord, document)


def _appointment(document: Mapping[str, Any]) -> Appointment:
    return from_document(Appointment, {name: value for name, value in document.items() if name != "patientTimes"})


def _patient_times(patient_id: str, start: datetime) -> list[str]:
    """Return the quarters of an hour that an appointment takes of its patient, each as one value that an index holds.

    One value, not two fields: the embedded engine then finds a batch's worth of them in milliseconds, not seconds.
    """
    return [f"{patient_id} {rfc3339(quarter)}" for quarter in quarters(start)]


def _stopped_at(error: BulkWriteError) -> int:
    """Return how many writes came before the one that met a unique index. Re-raises any other failure."""
    problems, unsure = error.details["writeErrors"], error.details["writeConcernErrors"]
    if unsure or not problems or problems[0]["code"] != _DUPLICATE_KEY:
        raise error
    return int(problems[0]["index"])


def _indexed(wanted: AppointmentFilter, after: After | None) -> Document:
    """Return the conditions that an index answers, and that no timetable meets: those have no start."""
    # Of both, the patient has fewer appointments; the embedded engine would choose the index of the doctor.
    conditions: Document = {}
    if wanted.patient_id is not None:
        conditions["patientId"] = wanted.patient_id
    elif wanted.doctor_id is not None:
        conditions["doctorId"] = wanted.doctor_id
    bounds = {"$gte": _lowest(wanted, after) or _LONG_AGO, "$lt": wanted.start_to}
    conditions["start"] = {operator: bound for operator, bound in bounds.items() if bound is not None}
    return conditions


def _lowest(wanted: AppointmentFilter, after: After | None) -> datetime | None:
    """Return the first start that may be on the page."""
    return max((start for start in (wanted.start_from, after and after.start) if start), default=None)


def _unindexed(wanted: AppointmentFilter, after: After | None) -> Document:
    """Return the other conditions."""
    conditions: Document = {}
    if wanted.patient_id is not None and wanted.doctor_id is not None:
        conditions["doctorId"] = wanted.doctor_id
    if wanted.statuses is not None:
        conditions["status"] = {"$in": sorted(wanted.statuses)}
    if after is not None:
        conditions["$or"] = [{"start": {"$gt": after.start}}, {"_id": {"$gt": after.id}}]
    return conditions
