"""The collection `appointments`: one document holds an appointment's state, audit trail and outbox.

The schedule record of a doctor and the entries of the waitlist are also documents of this collection, so that they
share the fences. They have neither `start` nor `patientId`, so queries for one of these fields do not return them.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import DESCENDING
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from hub.records.appointment_documents import (
    LONG_AGO,
    aggregate_of,
    appointment_of,
    document_of,
    is_appointment,
    patient_place,
    patient_times,
    place_of,
)
from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.appointment_pages import AppointmentPages
from hub.records.chunks import chunked
from hub.records.documents import Document
from hub.records.errors import StoreUnavailable, translated
from hub.records.event_log import recorded_events
from hub.records.ordered_writes import OrderedWrite, write_in_order
from hub.records.ports import Deadline, Fence, LastEvent, Saved, SaveOutcome, Stale, Stopped
from hub.scheduling.aggregate import Aggregate, base_version, is_creation, latest_events
from hub.scheduling.appointment import Appointment
from hub.scheduling.outcomes import Outcome, wait
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id
from hub.scheduling.values import HOLDING, Status

_NOT_A_REPLICA_SET = 123
"""What a server that stands alone answers when it is asked to prove that it is primary."""
_MAX_SORTED = 64
"""A read that sorts this many events of a doctor is fast enough."""
_WIDTHS_BEFORE = (timedelta(days=1), timedelta(days=10), timedelta(days=100), timedelta(days=1000), None)
"""How long the times are in which `any_before` looks, one before the other; None: all that is left."""


class MongoAppointments:
    """Implements `hub.records.ports.AppointmentRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection
        self._linearizable = collection.with_options(read_concern=ReadConcern("linearizable"))
        self._pages = AppointmentPages(collection)

    async def save(self, aggregates: Sequence[Aggregate]) -> SaveOutcome:
        """Write in order with one command, which the database stops at the first that fails."""
        if not aggregates:
            return Saved()
        writes = [_write(aggregate) for aggregate in aggregates]
        with translated():
            written = await write_in_order(self._collection, writes)
            return Saved() if written is None else await self._refusal(aggregates[written], written)

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""
        found = [document for part in chunked(ids) for document in await self._documents({"_id": {"$in": part}})]
        return {one.id: one for one in map(appointment_of, filter(is_appointment, found))}

    async def current(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id, and never those of a former primary."""
        found = [document for part in chunked(ids) for document in await self._current({"_id": {"$in": part}})]
        return {one.id: one for one in map(appointment_of, filter(is_appointment, found))}

    async def moved_on(self, seqs: Mapping[str, int]) -> set[str]:
        """Return the doctors whose history has events above the given `seq`."""
        # A history has no gaps, so the next number shows it.
        reads = (self._current({"doctorId": id_, "history.seq": seq + 1}, "_id") for id_, seq in seqs.items())
        return {id_ for id_, found in zip(seqs, await asyncio.gather(*reads), strict=True) if found}

    async def by_command(self, command_id: str) -> Aggregate | None:
        """Return the appointment, schedule record or entry whose history contains the command."""
        return next(iter(await self._find_any({"history.commandId": command_id})), None)

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        """Return the stored schedule records of these doctors."""
        found = await self._find_any({"_id": {"$in": [schedule_id(doctor_id) for doctor_id in doctor_ids]}})
        return {one.doctor_id: one for one in found if isinstance(one, ScheduleRecord)}

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the appointments of the doctors that hold a slot from `since` on, ordered by start."""
        # One read per doctor, and the status is filtered here: for $in with a range, the embedded engine scans.
        reads = (self._find({"doctorId": doctor_id, "start": {"$gte": since}}) for doctor_id in doctor_ids)
        found = [appointment for of_doctor in await asyncio.gather(*reads) for appointment in of_doctor]
        return sorted((one for one in found if one.holds_slot), key=lambda one: (one.start, one.id))

    async def any_before(self, doctor_id: str, instant: datetime) -> bool:
        """Return whether an appointment of the doctor starts before an instant."""
        # The embedded engine reads all matches, whatever the limit. So it is asked for longer and longer times before.
        end = instant
        for width in _WIDTHS_BEFORE:
            begin = LONG_AGO if width is None else end - width
            if await self._fields({"doctorId": doctor_id, "start": {"$gte": begin, "$lt": end}}, "start"):
                return True
            end = begin
        return False

    async def starting_since(self, doctor_id: str, since: datetime | None) -> list[Appointment]:
        """Return the doctor's appointments that start at `since` or later."""
        return await self._find({"doctorId": doctor_id, "start": {"$gte": since or LONG_AGO}})

    async def slot_owners(self, doctor_ids: Collection[str], since: datetime) -> dict[str, dict[datetime, str]]:
        """Return for each doctor the ids of the appointments that hold a slot from `since` on, by start (UTC)."""
        reads = (self._slots({"doctorId": doctor_id, "start": {"$gte": since}}) for doctor_id in doctor_ids)
        return dict(zip(doctor_ids, await asyncio.gather(*reads), strict=True))

    async def taken_starts(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts in [start_from, start_to) that appointments of the doctor hold."""
        wanted = {"doctorId": doctor_id, "start": {"$gte": start_from, "$lt": start_to}}
        return set(await self._slots(wanted))

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an appointment or an open offer of that patient."""
        times = {pair: patient_times(*pair) for pair in wanted}
        any_of = [time for of_pair in times.values() for time in of_pair]
        found = await self._current({"patientTimes": {"$in": any_of}}, "patientTimes")
        held = {time for document in found for time in document["patientTimes"]}
        return {pair for pair, of_pair in times.items() if not held.isdisjoint(of_pair)}

    async def places_taken(self, patient_ids: Collection[str], most: int) -> dict[str, set[int]]:
        """Return which of the places below `most` appointments of these patients have, by patient."""
        wanted = {patient_place(patient_id, place) for patient_id in patient_ids for place in range(most)}
        found = await self._current({"patientTimes": {"$in": sorted(wanted)}}, "patientTimes")
        taken: dict[str, set[int]] = {patient_id: set() for patient_id in patient_ids}
        for patient_id, place in (place_of(value) for one in found for value in one["patientTimes"] if value in wanted):
            taken[patient_id].add(place)
        return taken

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, ordered by time."""
        # Without a lower bound, the embedded engine would also read every appointment without a deadline.
        found = await self._fields(
            {"due": {"$gte": LONG_AGO, "$lte": until}}, "due", "dueKind", "doctorId", "start", "version"
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
        # With a known seq, few documents are sorted. Without one, the embedded engine sorts the whole history.
        last = (await self._last_from(doctor_id, known) if known else None) or await self.last_event(doctor_id)
        return last.seq if last else 0

    async def last_event(self, doctor_id: str) -> LastEvent | None:
        """Return the last event of the doctor's history."""
        return await self._last_from(doctor_id, await self._seq_reached(doctor_id))

    async def changed_since(self, doctor_id: str, seq: int, limit: int) -> list[Aggregate]:
        """Return what has an event of this `seq` or a later one, at most `limit`."""
        with translated():
            wanted = {"doctorId": doctor_id, "history.seq": {"$gte": seq}}
            found = await self._collection.find(wanted, limit=limit).to_list(None)
        return [aggregate_of(document) for document in found]

    async def _last_from(self, doctor_id: str, reached: int) -> LastEvent | None:
        """Return the last event of the history, None if the history has not reached `reached`."""
        wanted, fields = (
            {"doctorId": doctor_id, "history.seq": {"$gte": reached}},
            {"history.seq": 1, "history.commandId": 1},
        )
        with translated():
            last = await self._collection.find_one(wanted, fields, sort=[("history.seq", DESCENDING)])
        return max((LastEvent(one["seq"], one["commandId"]) for one in last["history"]), key=_seq) if last else None

    async def _seq_reached(self, doctor_id: str) -> int:
        """Return a `seq` close to the last one of the doctor's history, 0 if it is empty.

        A history has no gaps, so a search over a few numbers finds its end.
        """
        reached = gap = await self._furthest(doctor_id, [2**power for power in range(32)])
        while gap > _MAX_SORTED:
            gap = -(-gap // _MAX_SORTED)
            furthest = await self._furthest(doctor_id, [reached + step * gap for step in range(1, _MAX_SORTED + 1)])
            reached = max(reached, furthest)
        return reached

    async def _furthest(self, doctor_id: str, numbers: Collection[int]) -> int:
        """Return the highest of the numbers that the doctor's history contains, 0 if none."""
        found = await self._fields({"doctorId": doctor_id, "history.seq": {"$in": list(numbers)}}, "history.seq")
        return max((event["seq"] for one in found for event in one["history"] if event["seq"] in numbers), default=0)

    async def events_after(
        self, doctor_id: str, after: int, limit: int = 1000, last: int | None = None
    ) -> list[RecordedEvent[Aggregate]]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`."""
        last = min(await self.last_seq(doctor_id, after) if last is None else last, after + limit)
        # List the numbers: MongoDB uses only one bound of a range over an array, and for $elemMatch the embedded engine
        # does not use the index. There are no gaps, because a save stops at the first failure.
        numbers = range(after + 1, last + 1)
        if not numbers:
            return []
        found = await self._find_any({"doctorId": doctor_id, "history.seq": {"$in": list(numbers)}})
        return recorded_events(found, numbers)

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors with whom each patient has appointments."""
        found: dict[str, set[str]] = {}
        for one in await self._fields({"patientId": {"$in": list(patient_ids)}}, "patientId", "doctorId"):
            found.setdefault(one["patientId"], set()).add(one["doctorId"])
        return found

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments after the position `after`, ordered by (start, id)."""
        return await self._pages.read(wanted, limit, after)

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> dict[str, Outcome]:
        """Return the outcomes of the doctor's appointments in [start_from, start_to), by appointment id."""
        # Counted by the caller: on the embedded engine, an aggregation that groups them takes longer than this read.
        start: Document = {"$gte": start_from or LONG_AGO} | ({"$lt": start_to} if start_to else {})
        found = await self._fields(
            {"doctorId": doctor_id, "start": start}, "start", "createdAt", "status", "arrivedAt", "inRoomAt"
        )
        return {
            one["_id"]: Outcome(
                one["start"],
                one["createdAt"],
                Status(one["status"]),
                wait(one.get("arrivedAt"), one.get("inRoomAt")),
            )
            for one in found
        }

    async def patients_of(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> set[str]:
        """Return the patients of the doctor's appointments in [start_from, start_to)."""
        start: Document = {"$gte": start_from or LONG_AGO} | ({"$lt": start_to} if start_to else {})
        return {one["patientId"] for one in await self._fields({"doctorId": doctor_id, "start": start}, "patientId")}

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether the two have or had an appointment."""
        # Query by patient, who has few appointments: the embedded engine might read all appointments of the doctor.
        return any(one["doctorId"] == doctor_id for one in await self._fields({"patientId": patient_id}, "doctorId"))

    async def _refusal(self, refused: Aggregate, written: int) -> Stopped | Stale:
        """Read the record to find out what refused a write.

        If several indexes refuse a write, each database engine names a different one. A stale write is also reported as
        a duplicate. So the reason is read from the record, in the order that `Stopped` defines.
        """
        command_id = refused.last.command_id
        if applied := await self._current({"history.commandId": command_id}, "history.commandId"):
            events = sum(event["commandId"] == command_id for event in applied[0]["history"])
            repeated = is_creation(refused) and applied[0]["_id"] == refused.id and events == len(refused.history)
            return Stopped(written, Fence.APPOINTMENT if repeated else Fence.COMMAND)
        stored = await self._current({"_id": refused.id}, "version", "history.commandId")
        if stored and not _is_base(stored[0], refused):
            return Stale(written)
        if await self._current({"doctorId": refused.doctor_id, "history.seq": {"$in": _new_seqs(refused)}}, "_id"):
            return Stopped(written, Fence.DOCTOR_SEQ)
        if isinstance(refused, Appointment) and (fence := await self._time_taken(refused)):
            return Stopped(written, fence)
        raise StoreUnavailable("the conflicting document is gone, or is not acknowledged by a majority yet")

    async def _time_taken(self, refused: Appointment) -> Fence | None:
        """Return the fence of the conflict, if there is one: the slot, the patient's time or place, an open offer."""
        at_that_time = await self._current({"doctorId": refused.doctor_id, "start": refused.start}, "status")
        if any(found["status"] in HOLDING and found["_id"] != refused.id for found in at_that_time):
            return Fence.DOCTOR_SLOT
        times = patient_times(refused.patient_id, refused.start)
        if any(found["_id"] != refused.id for found in await self._current({"patientTimes": {"$in": times}}, "_id")):
            return Fence.PATIENT_TIME
        if refused.place is not None:
            place = {"patientTimes": patient_place(refused.patient_id, refused.place)}
            if any(found["_id"] != refused.id for found in await self._current(place, "_id")):
                return Fence.PATIENT_PLACE
        if refused.status is Status.OFFERED:
            offers = await self._current({"offeredTo": refused.patient_id}, "_id")
            return Fence.OPEN_OFFER if any(found["_id"] != refused.id for found in offers) else None
        return None

    async def _find(self, wanted: Document) -> list[Appointment]:
        return [appointment_of(document) for document in await self._documents(wanted)]

    async def _find_any(self, wanted: Document) -> list[Aggregate]:
        return [aggregate_of(document) for document in await self._documents(wanted)]

    async def _documents(self, wanted: Document) -> list[Document]:
        with translated():
            return await self._collection.find(wanted).to_list(None)

    async def _slots(self, wanted: Document) -> dict[datetime, str]:
        """Return the ids of the matching appointments that hold a slot, by start: a doctor has one per start."""
        found = await self._fields(wanted, "start", "status")
        return {one["start"]: one["_id"] for one in found if one["status"] in HOLDING}

    async def _fields(self, wanted: Document, *names: str) -> list[Document]:
        with translated():
            return await self._collection.find(wanted, dict.fromkeys(names, 1)).to_list(None)

    async def _current(self, wanted: Document, *names: str) -> list[Document]:
        """Read with read concern `linearizable`: a server answers only once a majority shows that it is primary.

        With `majority`, a primary that is cut off from the others answers with what was true before.
        """
        fields = dict.fromkeys(names, 1) or None
        with translated():
            try:
                return await self._linearizable.find(wanted, fields).to_list(None)
            except OperationFailure as error:
                if error.code != _NOT_A_REPLICA_SET:
                    raise
            return await self._collection.find(wanted, fields).to_list(None)  # there is no other primary


def _write(aggregate: Aggregate) -> OrderedWrite:
    """Return the write of the latest command's events: an insert, or a replacement of the version it was decided on."""
    document, base = document_of(aggregate), base_version(aggregate)
    if base == 0:
        return OrderedWrite(document, None)
    expected = {
        "_id": aggregate.id,
        "version": base,
        # A unique index compares different documents only. Entries of one array need this condition.
        "history.commandId": {"$eq": aggregate.history[base - 1].command_id, "$ne": aggregate.last.command_id},
        "history.seq": {"$nin": _new_seqs(aggregate)},
    }
    # An upsert: if the base version is gone, the insert conflicts with the _id of the newer version. That error stops
    # the bulk write. A plain update would match nothing without an error, and the next write would leave a gap in seq.
    return OrderedWrite(document, expected)


def _is_base(stored: Document, change: Aggregate) -> bool:
    base = base_version(change)
    return (
        base > 0
        and stored["version"] == base
        and stored["history"][-1]["commandId"] == change.history[base - 1].command_id
    )


def _seq(event: LastEvent) -> int:
    return event.seq


def _new_seqs(aggregate: Aggregate) -> list[int]:
    return [event.seq for event in latest_events(aggregate)]
