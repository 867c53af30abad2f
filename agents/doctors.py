"""The doctor's actor: decides a batch of commands in order, writes to MongoDB, and only then tells.

One call handles a batch. The database is asked once in the ordinary case (the write itself); reads happen at the
first touch of a doctor after a rebalance, for appointments that a command changes, and before anybody is refused.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from agents.days import Days
from hub.bus.messages import Declined, Done, Notice, Reply, notice_of
from hub.clock import Clock
from hub.records.ports import Fence, Records, Saved, Stale, Stopped
from hub.scheduling.appointment import Appointment, as_of
from hub.scheduling.calendar import Calendar, advance
from hub.scheduling.commands import BookAppointment, Command, MarkNoShow, RemindPatient, RescheduleAppointment
from hub.scheduling.decide import Accepted, Decision, RefusalCode, Refused, Repeated, decide, repeated
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.hours import Doctor
from hub.scheduling.views import view

_PAST_THAT_MATTERS = timedelta(hours=1)
"""How far back the slots of a doctor are read: one books for the future, so only the present half hour can matter."""


@dataclass(frozen=True)
class Answer:
    """What follows from a command: a reply to whoever asked, and a notice to everybody if it is in the record."""

    reply: Reply
    notice: Notice | None


@dataclass(frozen=True)
class _Known:
    """A doctor as of the last read or write by this worker: the rules, the last `seq`, and the day of the read."""

    doctor: Doctor
    seq: int
    read_on: date


@dataclass(frozen=True)
class _Planned:
    """A decision about the command at `position` of the batch, and the doctor's calendar after it.

    Only an accepted one has an `after`: the appointment that must be saved before anybody is told.
    """

    position: int
    decision: Decision
    calendar: Calendar | None
    after: Appointment | None


@dataclass(frozen=True)
class _Holder:
    """The appointment that has the slot at `start`, as far as we know."""

    id: str
    start: datetime

    def holds(self, stored: Appointment | None) -> bool:
        """Whether it still does."""
        return stored is not None and stored.active and stored.start == self.start


class Doctors:
    """The actors of all the doctors in this worker's partitions."""

    def __init__(
        self,
        records: Records,
        days: Days,
        clock: Clock,
        on_saved: Callable[[Appointment], None] = lambda _: None,
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

    async def handle(self, commands: Sequence[Command]) -> list[Answer]:
        """Return the answer to each command, in order, once everything they change is in the record.

        Raises `StoreUnavailable` when the database does not answer; handling the same batch again is safe then.
        """
        batch = _Batch(commands)
        # Each round but the last answers one command at least, or learns that what it knew of a doctor was stale.
        for _ in range(2 * len(commands) + 2):
            if not batch.waiting():
                return batch.in_order()
            await self._round(batch)
        raise RuntimeError(f"{len(commands)} commands met fences in every round; the record and the rules disagree")

    async def _round(self, batch: "_Batch") -> None:
        """Decide what waits, write it, and answer as far as the writing came."""
        known = self._known
        plan = await self._plan(batch)
        if await self._refuses_wrongly(batch, plan) or known is not self._known:
            return
        writes = [(planned, planned.after) for planned in plan if planned.after]
        match await self._records.appointments.save([after for _, after in writes]):
            case Saved():
                self._settle(batch, plan)
            case Stopped(written=written, fence=fence):
                met = writes[written][0]
                # What was decided after the fence was decided as if this write would succeed: decide it again.
                self._settle(batch, [planned for planned in plan if planned.position < met.position])
                await self._stopped(batch, met, fence)
            case Stale():
                # Some of it may be written. Read these doctors again: what is written will be found repeated.
                for _, after in writes:
                    self._known.pop(after.doctor_id, None)

    async def _refuses_wrongly(self, batch: "_Batch", plan: Sequence[_Planned]) -> bool:
        """Look twice before anybody is refused; return whether that showed something to decide anew.

        A write meets the fences, a refusal meets none. A booking may have been applied, and its appointment moved or
        cancelled since: then it is answered here. And who holds the slot by our table may have let go of it at another
        worker, who has the doctor now if we were paused for long.
        """
        refused = [
            (planned.position, batch.commands[planned.position], planned.calendar)
            for planned in plan
            if planned.calendar and isinstance(planned.decision, Refused)
        ]
        bookings = {command.id for _, command, _ in refused if isinstance(command, BookAppointment)}
        holders = {holder.id for _, command, calendar in refused if (holder := _holder(calendar, command))}
        holders -= {planned.after.id for planned in plan if planned.after}  # theirs is a write, which will show itself
        found = await self._records.appointments.by_ids(bookings | holders) if bookings or holders else {}
        wrong = False
        for position, command, calendar in refused:
            holder = _holder(calendar, command)
            if command.id in bookings & found.keys():
                batch.answer(position, _answer(command, await self._applied(command), calendar.doctor))
                wrong = True
            elif holder and holder.id in holders and not holder.holds(found.get(holder.id)):
                self._known.pop(command.doctor_id, None)
                wrong = True
        return wrong

    async def _stopped(self, batch: "_Batch", met: _Planned, fence: Fence) -> None:
        """Learn from the fence that a command ran into."""
        command = batch.commands[met.position]
        match fence:
            case Fence.DOCTOR_SLOT | Fence.DOCTOR_SEQ:
                self._known.pop(command.doctor_id, None)  # somebody else has written for this doctor: read it again
            case Fence.PATIENT_TIME:
                batch.answer(met.position, _answer(command, _patient_busy()))
                batch.busy |= await self._busy(batch)
            case Fence.APPOINTMENT | Fence.COMMAND:
                doctor = met.calendar.doctor if met.calendar else None
                batch.answer(met.position, _answer(command, await self._applied(command), doctor))

    async def _plan(self, batch: "_Batch") -> list[_Planned]:
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
            after = None
            if calendar and isinstance(decision, Accepted):
                calendar = calendars[command.doctor_id] = advance(calendar, decision.appointment_id, decision.event)
                after = calendar.appointments[decision.appointment_id]
            plan.append(_Planned(position, decision, calendar, after))
        return plan

    def _settle(self, batch: "_Batch", plan: Sequence[_Planned]) -> None:
        """Answer decisions that have become true, and bring the table up to them."""
        latest: dict[str, Calendar] = {}
        touched: dict[str, set[date]] = defaultdict(set)
        for planned in plan:
            command, calendar, after = batch.commands[planned.position], planned.calendar, planned.after
            batch.answer(
                planned.position, _answer(command, planned.decision, calendar.doctor if calendar else None, after)
            )
            if calendar and after:
                latest[after.doctor_id] = calendar
                touched[after.doctor_id] |= _days_of(after)
                self._on_saved(after)
        for doctor_id, calendar in latest.items():
            if known := self._known.get(doctor_id):  # else there was a rebalance: the table is a guess now
                self._known[doctor_id] = replace(known, seq=calendar.seq)
                for day in touched[doctor_id]:
                    self._days.write(doctor_id, day, calendar.holders)

    async def _calendars(self, commands: Sequence[Command]) -> dict[str, Calendar]:
        """Return what these commands are decided against, by doctor; a doctor who does not exist is left out."""
        today = self._clock().date()
        fresh = {c.doctor_id for c in commands if not ((k := self._known.get(c.doctor_id)) and k.read_on == today)}
        await self._read(fresh)
        appointments = await self._named(commands)
        while stale := {a.doctor_id for a in appointments.values() if self._is_behind(a)}:
            await self._read(stale)
            appointments = await self._named(commands)  # else they could be older than the slots
        return {
            doctor_id: Calendar(
                doctor=self._known[doctor_id].doctor,
                seq=self._known[doctor_id].seq,
                holders=self._days.holders(doctor_id, _days_named(doctor_id, commands, appointments)),
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
        # The seqs before the slots: a write in between shows itself at the fence of the seq.
        seqs = {doctor_id: await self._records.appointments.last_seq(doctor_id) for doctor_id in accounts}
        active = await self._records.appointments.active_since(accounts.keys(), now - _PAST_THAT_MATTERS)
        for doctor_id, account in accounts.items():
            if account.calendar is None:
                continue
            self._days.correct(doctor_id, [held for held in active if held.doctor_id == doctor_id])
            self._known[doctor_id] = _Known(account.calendar, seqs[doctor_id], now.date())

    async def _named(self, commands: Sequence[Command]) -> dict[str, Appointment]:
        """Return the appointments that the commands name, and those that a repeated booking made."""
        ids = {
            _appointment_id(command)
            for command in commands
            if not isinstance(command, BookAppointment)
            or command.id in self._days.holders(command.doctor_id, {command.start.date()}).values()
        }
        return await self._records.appointments.by_ids(ids) if ids else {}

    def _is_behind(self, appointment: Appointment) -> bool:
        """Whether the record shows an event of this doctor that this worker has not seen: a stale worker wrote it."""
        known = self._known.get(appointment.doctor_id)
        return known is not None and appointment.last.seq > known.seq

    async def _busy(self, batch: "_Batch") -> set[int]:
        """Return the waiting bookings whose patient is busy, as far as no change before them can free the patient."""
        bookings: dict[int, tuple[str, datetime]] = {}
        for position in batch.waiting():
            command = batch.commands[position]
            if not isinstance(command, BookAppointment):
                break
            bookings[position] = command.patient_id, command.start
        found = await self._records.appointments.busy(set(bookings.values())) if bookings else set()
        return {position for position, wanted in bookings.items() if wanted in found}

    async def _applied(self, command: Command) -> Decision:
        """Answer a command whose id is in the record already, perhaps for another doctor's appointment."""
        appointment = await self._records.appointments.by_command(command.id)
        event = appointment.caused_by(command.id) if appointment else None
        if appointment is None or event is None:
            raise RuntimeError("a fence said that this command has been applied, and the record does not show it")
        return repeated(command, appointment, event)


class _Batch:
    """The commands of one call, the answers so far, and which bookings are known to meet a busy patient."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.busy: set[int] = set()
        self._answers: dict[int, Answer] = {}

    def waiting(self) -> list[int]:
        return [position for position in range(len(self.commands)) if position not in self._answers]

    def answer(self, position: int, answer: Answer) -> None:
        self._answers[position] = answer

    def in_order(self) -> list[Answer]:
        return [self._answers[position] for position in range(len(self.commands))]


def _decide(calendar: Calendar | None, command: Command, now: datetime, *, busy: bool) -> Decision:
    if calendar is None:
        return Refused(RefusalCode.NOT_FOUND, "There is no such doctor.")
    decision = decide(calendar, command, now)
    return _patient_busy() if busy and isinstance(decision, Accepted) else decision


def _holder(calendar: Calendar, command: Command) -> _Holder | None:
    """Return who has the slot, by the table, that a command wants."""
    if isinstance(command, BookAppointment | RescheduleAppointment) and (id_ := calendar.holders.get(command.start)):
        return _Holder(id_, command.start)
    return None


def _patient_busy() -> Refused:
    return Refused(RefusalCode.PATIENT_BUSY, "The patient has another appointment at that time.")


def _answer(
    command: Command, decision: Decision, doctor: Doctor | None = None, after: Appointment | None = None
) -> Answer:
    """Return what is told of a decision; `after` is the appointment right after an accepted one."""
    if isinstance(decision, Accepted) and doctor and after:
        return Answer(Done(command_id=command.id, appointment=view(after)), notice_of(doctor, decision.event, after))
    if isinstance(decision, Repeated) and doctor:
        then = as_of(decision.appointment, decision.event)
        return Answer(
            Done(command_id=command.id, appointment=view(decision.appointment)),
            notice_of(doctor, decision.event, then),
        )
    if isinstance(decision, Refused):
        declined = Declined(command_id=command.id, at=command.at, code=decision.code, detail=decision.detail)
        return Answer(declined, None)
    raise RuntimeError(f"a decision for a doctor whom nobody has read: {decision!r}")


def _days_named(doctor_id: str, commands: Sequence[Command], appointments: Mapping[str, Appointment]) -> set[date]:
    """Return the UTC days on which these commands look at the doctor's slots or change them."""
    days = {appointment.start.date() for appointment in appointments.values() if appointment.doctor_id == doctor_id}
    return days | {
        command.start.date()
        for command in commands
        if command.doctor_id == doctor_id and isinstance(command, BookAppointment | RescheduleAppointment)
    }


def _days_of(after: Appointment) -> set[date]:
    """Return the UTC days whose slots the last event of an appointment may have changed."""
    event = after.last
    before = {event.previous_start.date()} if isinstance(event, AppointmentRescheduled) else set()
    return before | {after.start.date()}


def _appointment_id(command: Command) -> str:
    return command.id if isinstance(command, BookAppointment) else command.appointment_id
