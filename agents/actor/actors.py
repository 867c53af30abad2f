"""The doctor's actor: decides a batch of commands in order, writes to MongoDB, and only then tells.

One call handles a batch. The database is asked once in the ordinary case (the write itself); reads happen at the
first touch of a doctor after a rebalance, for appointments that a command changes, and before anybody is refused.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from agents.actor.batch import Batch
from agents.actor.revalidation import Refusal
from agents.actor.slot_table import Days
from agents.answers import Answer, answer
from hub.clock import Clock
from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    Command,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
    ScheduleChange,
)
from hub.scheduling.decide import decide, repeated
from hub.scheduling.decision import Accepted, Arranged, Decision, RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState, advance, advance_timetable
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.schedule_record import Aggregate, ScheduleRecord, hired

_PAST_THAT_MATTERS = timedelta(hours=1)
"""How far back the slots of a doctor are read: one books for the future, so only the present half hour can matter."""


class LeaseLost(Exception):
    """The doctors may be another worker's by now."""


@dataclass(frozen=True)
class _Known:
    """A doctor as of the last read or write by this worker: the timetable, the last `seq`, the day of the read."""

    schedule_record: ScheduleRecord
    seq: int
    read_on: date


@dataclass(frozen=True)
class _Planned:
    """A decision about the command at `position` of the batch, and the doctor's calendar after it.

    Only an accepted one has an `after`: what must be saved before anybody is told.
    """

    position: int
    decision: Decision
    calendar: DoctorState | None
    after: Aggregate | None


class Doctors:
    """The actors of all the doctors in this worker's partitions."""

    def __init__(
        self,
        records: Records,
        days: Days,
        clock: Clock,
        on_saved: Callable[[Aggregate], None] = lambda _: None,
        on_orphan: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_orphan` hears of each appointment (its id) whose deadline cannot be decided: its doctor is gone."""
        self._records = records
        self._days = days
        self._clock = clock
        self._on_saved = on_saved
        self._on_orphan = on_orphan
        self._known: dict[str, _Known] = {}

    def forget(self) -> None:
        """Trust nothing any more: after a rebalance another worker may have written for any doctor."""
        self._known = {}  # another one, so that a batch which is just being decided sees that it has to begin again
        self._days.look_over()

    async def handle(self, commands: Sequence[Command], holds_lease: Callable[[], bool] = lambda: True) -> list[Answer]:
        """Return the answer to each command, in order, once everything they change is in the record.

        Raises `StoreUnavailable` when the database does not answer, and `LeaseLost`; handling the same batch again is
        safe then.
        """
        batch = Batch(commands)
        # Each round but the last answers one command at least, or learns that what it knew of a doctor was stale.
        for _ in range(2 * len(commands) + 2):
            if not batch.waiting():
                return batch.in_order()
            if not holds_lease():
                # Not only before the first round: who was stopped before a write that then met a fence would decide
                # anew what a successor has refused.
                raise LeaseLost
            await self._round(batch)
        raise RuntimeError(f"{len(commands)} commands met fences in every round; the record and the rules disagree")

    async def _round(self, batch: Batch) -> None:
        """Decide what waits, write it, and answer as far as the writing came."""
        known = self._known
        plan = await self._plan(batch)
        if await self._refuses_wrongly(batch, plan) or known is not self._known:
            return
        writes = [(one.position, one.calendar, one.after) for one in plan if one.calendar and one.after]
        match await self._records.appointments.save([after for *_, after in writes]):
            case Saved():
                self._settle(batch, plan)
            case Stopped(written=written, fence=fence):
                position, calendar, _ = writes[written]
                # What was decided after the fence was decided as if this write would succeed: decide it again.
                self._settle(batch, [planned for planned in plan if planned.position < position])
                await self._stopped(batch, position, calendar, fence)
            case Stale():
                # Some of it may be written. Read these doctors again: what is written will be found repeated.
                for *_, after in writes:
                    self._known.pop(after.doctor_id, None)

    async def _refuses_wrongly(self, batch: Batch, plan: Sequence[_Planned]) -> bool:
        """Look twice before anybody is refused; return whether that showed something to decide anew.

        A write meets the fences, a refusal meets none. A booking may have been applied, and its appointment moved or
        cancelled since: then it is answered here. And who holds the slot by our table may have let go of it at another
        worker, who has the doctor now if we were paused for long; or the doctor's hours are others there.
        """
        refused = [
            Refusal(planned.position, batch.commands[planned.position], planned.calendar, planned.decision)
            for planned in plan
            if planned.calendar and isinstance(planned.decision, Refused)
        ]
        if not refused:
            return False
        bookings = {one.command.id for one in refused if isinstance(one.command, BookAppointment)}
        slot_owners = {holder.id for one in refused if (holder := one.holder)}
        slot_owners -= {
            planned.after.id for planned in plan if planned.after
        }  # theirs is a write, which will show itself
        by_timetable = {one.command.doctor_id for one in refused if one.by_timetable}
        found, stale = await asyncio.gather(self._appointments(bookings | slot_owners), self._rearranged(by_timetable))
        wrong = False
        for one in refused:
            if one.command.id in bookings & found.keys():
                batch.answer(one.position, await self._answered_before(one.command, one.calendar))
                wrong = True
            elif (one.by_timetable and one.command.doctor_id in stale) or (
                one.holder and one.holder.id in slot_owners and not one.holder.holds(found.get(one.holder.id))
            ):
                self._known.pop(one.command.doctor_id, None)
                wrong = True
        return wrong

    async def _rearranged(self, doctor_ids: Collection[str]) -> set[str]:
        """Return the doctors whose timetable has another version in the record than we know."""
        if not doctor_ids:
            return set()
        stored = await self._records.appointments.schedule_records(doctor_ids)
        known = {id_: known.schedule_record.version for id_ in doctor_ids if (known := self._known.get(id_))}
        return {id_ for id_, version in known.items() if version != (stored[id_].version if id_ in stored else 0)}

    async def _stopped(self, batch: Batch, position: int, calendar: DoctorState, fence: Fence) -> None:
        """Learn from the fence that a command ran into."""
        command = batch.commands[position]
        match fence:
            case Fence.DOCTOR_SLOT | Fence.DOCTOR_SEQ:
                self._known.pop(command.doctor_id, None)  # somebody else has written for this doctor: read it again
            case Fence.PATIENT_TIME:
                batch.answer(position, answer(command, _patient_busy()))
                batch.busy |= await self._busy(batch)
            case Fence.APPOINTMENT | Fence.COMMAND:
                batch.answer(position, await self._answered_before(command, calendar))

    async def _plan(self, batch: Batch) -> list[_Planned]:
        """Decide each waiting command against the table and what the commands before it will have changed."""
        waiting = batch.waiting()
        calendars = await self._calendars([batch.commands[position] for position in waiting])
        now = self._clock()
        plan = []
        for position in waiting:
            command = batch.commands[position]
            calendar = calendars.get(command.doctor_id)
            if calendar is None and isinstance(command, RemindPatient | MarkNoShow):
                self._on_orphan(command.appointment_id)
            decision = _decide(calendar, command, now, busy=position in batch.busy)
            after: Aggregate | None = None
            match decision:
                case Accepted(appointment_id, event) if calendar:
                    calendar = calendars[command.doctor_id] = advance(calendar, appointment_id, event)
                    after = calendar.appointments[appointment_id]
                case Arranged(event) if calendar:
                    calendar = calendars[command.doctor_id] = advance_timetable(calendar, event)
                    after = calendar.schedule_record
            plan.append(_Planned(position, decision, calendar, after))
        return plan

    def _settle(self, batch: Batch, plan: Sequence[_Planned]) -> None:
        """Answer decisions that have become true, and bring the table up to them."""
        latest: dict[str, DoctorState] = {}
        touched: dict[str, set[date]] = defaultdict(set)
        for planned in plan:
            command, calendar, after = batch.commands[planned.position], planned.calendar, planned.after
            batch.answer(planned.position, answer(command, planned.decision, calendar))
            if calendar and after:
                latest[after.doctor_id] = calendar
                touched[after.doctor_id] |= _days_of(after) if isinstance(after, Appointment) else set()
                self._on_saved(after)
        for doctor_id, calendar in latest.items():
            if known := self._known.get(doctor_id):  # else there was a rebalance: the table is a guess now
                self._known[doctor_id] = replace(known, seq=calendar.seq, schedule_record=calendar.schedule_record)
                for day in touched[doctor_id]:
                    self._days.write(doctor_id, day, calendar.slot_owners)

    async def _calendars(self, commands: Sequence[Command]) -> dict[str, DoctorState]:
        """Return what these commands are decided against, by doctor; a doctor who does not exist is left out."""
        today = self._clock().date()
        fresh = {c.doctor_id for c in commands if not ((k := self._known.get(c.doctor_id)) and k.read_on == today)}
        await self._read(fresh)
        appointments = await self._named(commands)
        while stale := {a.doctor_id for a in appointments.values() if self._is_behind(a)}:
            await self._read(stale)
            appointments = await self._named(commands)  # else they could be older than the slots
        return {
            doctor_id: DoctorState(
                schedule_record=self._known[doctor_id].schedule_record,
                seq=self._known[doctor_id].seq,
                slot_owners=self._days.slot_owners(doctor_id, self._days_named(doctor_id, commands, appointments)),
                appointments={a.id: a for a in appointments.values() if a.doctor_id == doctor_id},
            )
            for doctor_id in {command.doctor_id for command in commands} & self._known.keys()
        }

    async def _read(self, doctor_ids: Collection[str]) -> None:
        """Read doctors from the record and make the table true for them."""
        if not doctor_ids:
            return
        now = self._clock()
        accounts = await self._records.users.by_ids(doctor_ids)
        # The seqs before the slots and the hours: a write in between shows itself at the fence of the seq.
        seqs = {doctor_id: await self._records.appointments.last_seq(doctor_id) for doctor_id in accounts}
        changed = await self._records.appointments.schedule_records(accounts.keys())
        slot_owners = await self._records.appointments.slot_owners(accounts.keys(), now - _PAST_THAT_MATTERS)
        for doctor_id, account in accounts.items():
            if account.calendar is None:
                continue
            self._days.correct(doctor_id, slot_owners.get(doctor_id, {}))
            schedule_record = changed.get(doctor_id) or hired(account.calendar)
            self._known[doctor_id] = _Known(schedule_record, seqs[doctor_id], now.date())

    async def _named(self, commands: Sequence[Command]) -> dict[str, Appointment]:
        """Return the appointments that the commands name, and those that a repeated booking made."""
        return await self._appointments({id_ for command in commands if (id_ := self._named_by(command))})

    def _named_by(self, command: Command) -> str | None:
        """Return the id of the appointment that a command names, or that a repeated booking made."""
        if isinstance(command, ScheduleChange):
            return None
        if not isinstance(command, BookAppointment):
            return command.appointment_id
        made = command.id in self._days.slot_owners(command.doctor_id, {command.start.date()}).values()
        return command.id if made else None

    def _days_named(
        self, doctor_id: str, commands: Sequence[Command], appointments: Mapping[str, Appointment]
    ) -> set[date]:
        """Return the UTC days on which these commands look at the doctor's slots or change them."""
        days = {appointment.start.date() for appointment in appointments.values() if appointment.doctor_id == doctor_id}
        for command in commands:
            if command.doctor_id != doctor_id:
                continue
            if isinstance(command, BookAppointment | RescheduleAppointment):
                days.add(command.start.date())
            elif isinstance(command, ScheduleChange):
                days |= self._days.of(doctor_id)
        return days

    async def _appointments(self, ids: Collection[str]) -> dict[str, Appointment]:
        return await self._records.appointments.by_ids(ids) if ids else {}

    def _is_behind(self, appointment: Appointment) -> bool:
        """Whether the record shows an event of this doctor that this worker has not seen: a stale worker wrote it."""
        known = self._known.get(appointment.doctor_id)
        return known is not None and appointment.last.seq > known.seq

    async def _busy(self, batch: Batch) -> set[int]:
        """Return the waiting bookings whose patient is busy, as far as no change before them can free the patient."""
        bookings: dict[int, tuple[str, datetime]] = {}
        for position in batch.waiting():
            command = batch.commands[position]
            if not isinstance(command, BookAppointment):
                break
            bookings[position] = command.patient_id, command.start
        found = await self._records.appointments.busy(set(bookings.values())) if bookings else set()
        return {position for position, wanted in bookings.items() if wanted in found}

    async def _answered_before(self, command: Command, calendar: DoctorState) -> Answer:
        """Answer a command whose id is in the record already, perhaps for something else.

        Another worker may have applied it, so our calendar may be older than that: what the answer needs is read again.
        """
        applied = await self._records.appointments.by_command(command.id)
        before = repeated(command, applied) if applied else None
        if before is None:
            raise RuntimeError("a fence said that this command has been applied, and the record does not show it")
        changed = await self._records.appointments.schedule_records([command.doctor_id])
        schedule_record = changed.get(command.doctor_id) or hired(calendar.schedule_record.hired)
        fresh = replace(calendar, schedule_record=schedule_record)
        if isinstance(applied, ScheduleRecord):  # who holds what is told with it
            active = await self._records.appointments.active_since([command.doctor_id], self._clock())
            fresh = replace(fresh, slot_owners={one.start: one.id for one in active})
        return answer(command, before, fresh)


def _decide(calendar: DoctorState | None, command: Command, now: datetime, *, busy: bool) -> Decision:
    if calendar is None:
        return Refused(RefusalCode.NOT_FOUND, "There is no such doctor.")
    decision = decide(calendar, command, now)
    return _patient_busy() if busy and isinstance(decision, Accepted) else decision


def _patient_busy() -> Refused:
    return Refused(RefusalCode.PATIENT_BUSY, "The patient has another appointment at that time.")


def _days_of(after: Appointment) -> set[date]:
    """Return the UTC days whose slots the last event of an appointment may have changed."""
    event = after.last
    before = {event.previous_start.date()} if isinstance(event, AppointmentRescheduled) else set()
    return before | {after.start.date()}
