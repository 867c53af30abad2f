"""The in-memory implementation of the collection `appointments`, for tests."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.event_log import recorded_events
from hub.records.overlap import quarters
from hub.records.ports import Deadline, Fence, LastEvent, Saved, SaveOutcome, Stale, Stopped, deadline_of
from hub.scheduling.aggregate import Aggregate, base_version, events_of, is_creation, latest_events
from hub.scheduling.appointment import Appointment
from hub.scheduling.outcomes import Outcome, wait
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id
from hub.scheduling.values import Status
from hub.scheduling.waitlist_entry import WaitlistEntry

_Claim = tuple[Fence, Hashable]


class MemoryAppointments:
    """Implements `hub.records.ports.AppointmentRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Appointment] = {}
        self._schedules: dict[str, ScheduleRecord] = {}
        self.entries: dict[str, WaitlistEntry] = {}
        """The entries of the waitlist, for `MemoryWaitlist`."""
        self._owners: dict[_Claim, str] = {}
        """The id of the aggregate that has each claim (see `_claims`). It stands for the unique indexes."""

    async def save(self, aggregates: Sequence[Aggregate]) -> SaveOutcome:
        """Write in order. Stop at the first write that a fence refuses."""
        for written, aggregate in enumerate(aggregates):
            fence = self._refusal(aggregate)
            if fence is not None:
                return Stopped(written, fence) if isinstance(fence, Fence) else Stale(written)
            self._write(aggregate)
        return Saved()

    async def by_ids(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""
        return {id_: self._stored[id_] for id_ in ids if id_ in self._stored}

    async def current(self, ids: Collection[str]) -> dict[str, Appointment]:
        """Return the appointments that exist among the ids, by id."""
        return await self.by_ids(ids)

    def everything(self) -> Collection[Appointment]:
        """Return all appointments."""
        return self._stored.values()

    async def moved_on(self, seqs: Mapping[str, int]) -> set[str]:
        """Return the doctors whose history has events above the given `seq`."""
        return {doctor_id for doctor_id, seq in seqs.items() if await self.last_seq(doctor_id) > seq}

    async def by_command(self, command_id: str) -> Aggregate | None:
        """Return the appointment, schedule record or entry whose history contains the command."""
        owner = self._owners.get((Fence.COMMAND, command_id))
        return self._by_id(owner) if owner else None

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        """Return the stored schedule records of these doctors."""
        ids = {doctor_id: schedule_id(doctor_id) for doctor_id in doctor_ids}
        return {doctor_id: self._schedules[id_] for doctor_id, id_ in ids.items() if id_ in self._schedules}

    async def active_since(self, doctor_ids: Collection[str], since: datetime) -> list[Appointment]:
        """Return the appointments of the doctors that hold a slot from `since` on, ordered by start."""
        return [one for one in self._ordered() if one.holds_slot and one.doctor_id in doctor_ids and one.start >= since]

    async def any_before(self, doctor_id: str, instant: datetime) -> bool:
        """Return whether an appointment of the doctor starts before an instant."""
        return any(one.doctor_id == doctor_id and one.start < instant for one in self._ordered())

    async def starting_since(self, doctor_id: str, since: datetime | None) -> list[Appointment]:
        """Return the doctor's appointments that start at `since` or later."""
        wanted = AppointmentFilter(doctor_id=doctor_id, start_from=since)
        return [one for one in self._ordered() if wanted.matches(one)]

    async def slot_owners(self, doctor_ids: Collection[str], since: datetime) -> dict[str, dict[datetime, str]]:
        """Return for each doctor the ids of the appointments that hold a slot from `since` on, by start (UTC)."""
        return {id_: {one.start: one.id for one in await self.active_since([id_], since)} for id_ in doctor_ids}

    async def taken_starts(self, doctor_id: str, start_from: datetime, start_to: datetime) -> set[datetime]:
        """Return the starts in [start_from, start_to) that appointments of the doctor hold."""
        return {one.start for one in await self.active_since([doctor_id], start_from) if one.start < start_to}

    async def busy(self, wanted: Collection[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
        """Return which (patient id, start) pairs overlap an active appointment of that patient."""
        return {pair for pair in wanted if any(claim in self._owners for claim in _patient_times(*pair))}

    async def places_taken(self, patient_ids: Collection[str], most: int) -> dict[str, set[int]]:
        """Return which of the places below `most` appointments of these patients have, by patient."""
        return {
            patient_id: {place for place in range(most) if (Fence.PATIENT_PLACE, (patient_id, place)) in self._owners}
            for patient_id in patient_ids
        }

    async def due(self, until: datetime) -> list[Deadline]:
        """Return the deadlines up to `until`, ordered by time."""
        deadlines = [
            deadline for one in self._stored.values() if (deadline := deadline_of(one)) and deadline.due <= until
        ]
        return sorted(deadlines, key=lambda deadline: deadline.due)

    async def last_seq(self, doctor_id: str, known: int = 0) -> int:  # noqa: ARG002  # memory needs no hint
        """Return the last `seq` of the doctor's history."""
        return max((one.last.seq for one in self._of(doctor_id)), default=0)

    async def last_event(self, doctor_id: str) -> LastEvent | None:
        """Return the last event of the doctor's history."""
        last = max((one.last for one in self._of(doctor_id)), key=lambda event: event.seq, default=None)
        return LastEvent(last.seq, last.command_id) if last else None

    async def changed_since(self, doctor_id: str, seq: int, limit: int) -> list[Aggregate]:
        """Return what has an event of this `seq` or a later one, at most `limit`."""
        return [one for one in self._of(doctor_id) if one.last.seq >= seq][:limit]

    async def events_after(
        self, doctor_id: str, after: int, limit: int = 1000, last: int | None = None
    ) -> list[RecordedEvent[Aggregate]]:
        """Return the doctor's events with `seq` above `after`, ordered by `seq`, at most `limit`."""
        end = after + limit if last is None else min(last, after + limit)
        return recorded_events(self._of(doctor_id), range(after + 1, end + 1))

    async def doctors_of(self, patient_ids: Collection[str]) -> dict[str, set[str]]:
        """Return the doctors with whom each patient has appointments."""
        found: dict[str, set[str]] = {}
        for one in self._stored.values():
            if one.patient_id in patient_ids:
                found.setdefault(one.patient_id, set()).add(one.doctor_id)
        return found

    async def page(self, wanted: AppointmentFilter, limit: int, after: After | None = None) -> list[Appointment]:
        """Return at most `limit` appointments after the position `after`, ordered by (start, id)."""
        matching = (
            one
            for one in self._ordered()
            if wanted.matches(one) and (after is None or (one.start, one.id) > (after.start, after.id))
        )
        return [one for one, _ in zip(matching, range(limit), strict=False)]

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> dict[str, Outcome]:
        """Return the outcomes of the doctor's appointments in [start_from, start_to), by appointment id."""
        wanted = AppointmentFilter(doctor_id=doctor_id, start_from=start_from, start_to=start_to)
        return {
            one.id: Outcome(one.start, one.created_at, one.status, wait(one.arrived_at, one.in_room_at))
            for one in self._ordered()
            if wanted.matches(one)
        }

    async def patients_of(self, doctor_id: str, start_from: datetime | None, start_to: datetime | None) -> set[str]:
        """Return the patients of the doctor's appointments in [start_from, start_to)."""
        wanted = AppointmentFilter(doctor_id=doctor_id, start_from=start_from, start_to=start_to)
        return {one.patient_id for one in self._ordered() if wanted.matches(one)}

    async def have_met(self, doctor_id: str, patient_id: str) -> bool:
        """Return whether the two have or had an appointment."""
        return any(one.doctor_id == doctor_id and one.patient_id == patient_id for one in self._stored.values())

    def _refusal(self, aggregate: Aggregate) -> Fence | Literal["stale"] | None:
        """Return what refuses a write, in the order that `Stopped` defines."""
        stored, base = self._by_id(aggregate.id), base_version(aggregate)
        if owner := self._owners.get((Fence.COMMAND, aggregate.last.command_id)):
            applied = events_of(stored, aggregate.last.command_id) if stored and owner == aggregate.id else ()
            repeated = is_creation(aggregate) and len(applied) == len(aggregate.history)
            return Fence.APPOINTMENT if repeated else Fence.COMMAND
        # By their commands: an erasure changes the words of earlier events.
        if stored and [each.command_id for each in stored.history] != [
            each.command_id for each in aggregate.history[:base]
        ]:
            return "stale"
        new = ((Fence.DOCTOR_SEQ, (aggregate.doctor_id, event.seq)) for event in latest_events(aggregate))
        if any(claim in self._owners for claim in new):
            return Fence.DOCTOR_SEQ
        for claim in _claims(aggregate):
            if self._owners.get(claim, aggregate.id) != aggregate.id:
                return claim[0]
        return None

    def _write(self, aggregate: Aggregate) -> None:
        before = self._by_id(aggregate.id)
        for claim in _claims(before) if before else ():
            del self._owners[claim]
        self._owners |= dict.fromkeys(_claims(aggregate), aggregate.id)
        if isinstance(aggregate, Appointment):
            self._stored[aggregate.id] = aggregate
        elif isinstance(aggregate, WaitlistEntry):
            self.entries[aggregate.id] = aggregate
        else:
            self._schedules[aggregate.id] = aggregate

    def _by_id(self, id_: str) -> Aggregate | None:
        return self._stored.get(id_) or self._schedules.get(id_) or self.entries.get(id_)

    def _of(self, doctor_id: str) -> list[Aggregate]:
        everything: list[Aggregate] = [*self._stored.values(), *self._schedules.values(), *self.entries.values()]
        return [one for one in everything if one.doctor_id == doctor_id]

    def _ordered(self) -> list[Appointment]:
        return sorted(self._stored.values(), key=lambda one: (one.start, one.id))


def _claims(aggregate: Aggregate) -> list[_Claim]:
    """Return the values that an aggregate claims exclusively, in the order in which a refusal reports them."""
    doctor_id = aggregate.doctor_id
    claims: list[_Claim] = []
    claims += [(Fence.COMMAND, id_) for id_ in dict.fromkeys(event.command_id for event in aggregate.history)]
    claims += [(Fence.DOCTOR_SEQ, (doctor_id, event.seq)) for event in aggregate.history]
    if isinstance(aggregate, Appointment) and aggregate.holds_slot:
        claims.append((Fence.DOCTOR_SLOT, (doctor_id, aggregate.start)))
        claims += _patient_times(aggregate.patient_id, aggregate.start)
        if aggregate.place is not None:
            claims.append((Fence.PATIENT_PLACE, (aggregate.patient_id, aggregate.place)))
        if aggregate.status is Status.OFFERED:
            claims.append((Fence.OPEN_OFFER, aggregate.patient_id))
    return claims


def _patient_times(patient_id: str, start: datetime) -> list[_Claim]:
    return [(Fence.PATIENT_TIME, (patient_id, quarter)) for quarter in quarters(start)]
