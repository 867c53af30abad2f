"""The doctors' actors: decide a batch of commands in order, write to MongoDB, and only then answer.

One call handles a batch. It usually costs one call of the database, the write itself. It also reads when a doctor comes
up for the first time after a rebalance, for appointments that commands name, and before anybody is refused.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from agents.actor.batch import Batch
from agents.actor.doctor_table import DoctorTable
from agents.actor.patient_places import free_places, guessed_place, may_have_more, too_many
from agents.actor.revalidation import Revalidation, revalidate
from agents.actor.state_reader import StateReader
from agents.answers import Answer, answer, refusal
from hub.clock import Clock
from hub.records.ports import Fence, LastEvent, Records, Saved, Stale, Stopped
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, MarkNoShow, RemindPatient
from hub.scheduling.decide import decide, repeated
from hub.scheduling.decision import Accepted, Decision, RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.line import OfferPolicy
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from hub.scheduling.waitlist_commands import LapseOffer, TendWaitlist

Recorded = Sequence[RecordedEvent[Aggregate]]
"""The events of one command, each with what it left behind."""


@dataclass(frozen=True)
class Tended:
    """What became of a command to tend a doctor's waitlist.

    `again`: something was done, or has to be looked at anew, so there may be more to do. Else there is nothing to do as
    of the doctor's event `seq`, and `waiting` says whether anybody waits at all.
    """

    doctor_id: str
    seq: int = 0
    again: bool = False
    waiting: bool = True


class LeaseLost(Exception):
    """The doctors may have been given to another worker."""


@dataclass(frozen=True)
class _Planned:
    """A decision about the command at `position` of the batch, and the doctor's state after it.

    `recorded` are the events of an accepted command, which must be saved before anybody is told; else it is empty.
    """

    position: int
    decision: Decision
    state: DoctorState | None
    recorded: Recorded = ()


class DoctorActors:
    """The actors of all doctors in this worker's partitions."""

    def __init__(  # noqa: PLR0913  # called once, in `agents.app`
        self,
        records: Records,
        table: DoctorTable,
        clock: Clock,
        *,
        on_saved: Callable[[Recorded], None] = lambda _: None,
        on_orphan: Callable[[str], None] = lambda _: None,
        on_tended: Callable[[Tended], None] = lambda _: None,
        policy: OfferPolicy | None = None,
        most_active: int = 0,
    ) -> None:
        """Call `on_saved` with the events of each command that has been written.

        Call `on_orphan` with the id of each appointment whose deadline cannot be decided because its doctor is gone.
        `most_active` is the number of appointments to come that a patient may have; 0: any number.
        Call `on_tended` with what became of each command to tend a waitlist. `policy`: how offers are made.
        """
        self._records = records
        self._reader = StateReader(records, table, clock, policy)
        self._clock = clock
        self._on_saved = on_saved
        self._on_orphan = on_orphan
        self._on_tended = on_tended
        self._most_active = most_active

    def forget(self) -> None:
        """Trust nothing that was read: after a rebalance another worker may have written for any doctor."""
        self._reader.forget_all()

    async def handle(self, commands: Sequence[Command], holds_lease: Callable[[], bool] = lambda: True) -> list[Answer]:
        """Return the answer to each command, in order, once everything they change is in the record.

        Raises `LeaseLost`, and `StoreUnavailable` when the database does not answer. Handling the same batch again is
        safe then.
        """
        batch = Batch(commands)
        # Each round but the last answers one command at least, or finds that what was known of a doctor is outdated, or
        # that another booking of the patient has taken a place.
        for _ in range((2 + self._most_active) * len(commands) + 2):
            if not batch.waiting():
                return batch.in_order()
            if not holds_lease():
                # Before every round, not only the first: a worker that was stopped before a write, and whose write then
                # met a fence, would decide anew what its successor has refused.
                raise LeaseLost
            await self._round(batch)
        raise RuntimeError(f"{len(commands)} commands met fences in every round; the record and the rules disagree")

    async def _round(self, batch: Batch) -> None:
        """Decide the commands that wait, write, and answer those whose decision is in the record."""
        generation = self._reader.generation
        states = await self._reader.states([batch.commands[position] for position in batch.waiting()])
        for doctor_id in self._tended(batch):
            if state := states.get(doctor_id):
                states[doctor_id] = await self._reader.with_candidate(state)
        if self._reader.generation != generation:
            return  # a rebalance during the read: what was read may be outdated
        plan = await self._checked(batch, self._plan(batch, states))
        if plan is None or self._reader.generation != generation:
            return
        accepted = [planned for planned in plan if planned.recorded]
        match await self._records.appointments.save([planned.recorded[-1].aggregate for planned in accepted]):
            case Saved():
                self._settle(batch, plan)
            case Stopped(written=written, fence=fence):
                stopped = accepted[written]
                # Later decisions took for granted that this write would succeed: they are made again.
                self._settle(batch, [planned for planned in plan if planned.position < stopped.position])
                await self._learn(batch, stopped, fence)
            case Stale():
                # Some of it may be written. Read these doctors again: commands that are written are found repeated.
                for planned in accepted:
                    self._reader.forget(batch.commands[planned.position].doctor_id)

    def _plan(self, batch: Batch, states: dict[str, DoctorState]) -> list[_Planned]:
        """Decide each waiting command against the doctor's state and what earlier commands of the batch change."""
        now = self._clock()
        plan = []
        for position in batch.waiting():
            command = batch.commands[position]
            state = states.get(command.doctor_id)
            if state is None and isinstance(command, RemindPatient | MarkNoShow | LapseOffer):
                self._on_orphan(command.appointment_id)
            decision = self._within_limit(batch, position, _decide(state, command, now, busy=position in batch.busy))
            recorded: Recorded = ()
            if isinstance(decision, Accepted) and state:
                state, recorded = state.apply_all(decision.aggregate_id, decision.events)
                if isinstance(command, BookAppointment):
                    place = batch.places.get(position, guessed_place(command, self._most_active))
                    state, recorded = _placed(state, recorded, place)
                states[command.doctor_id] = state
            plan.append(_Planned(position, decision, state, recorded))
        return plan

    async def _checked(self, batch: Batch, plan: list[_Planned]) -> list[_Planned] | None:
        """Check the refusals of the plan against the record. Return None if something has to be decided again."""
        refused = [
            Revalidation(planned.position, batch.commands[planned.position], planned.state, planned.decision)
            for planned in plan
            if planned.state and isinstance(planned.decision, Refused)
        ]
        findings = await revalidate(refused, self._reader)
        for each in findings.applied:
            batch.answer(each.position, await self._answered_before(each.command, each.state))
        for doctor_id in findings.outdated:
            self._reader.forget(doctor_id)
        if findings.applied or findings.outdated:
            return None
        return [replace(each, decision=findings.completed.get(each.position, each.decision)) for each in plan]

    async def _learn(self, batch: Batch, stopped: _Planned, fence: Fence) -> None:
        """Take from the fence that a command met what is needed to decide it again, or to answer it."""
        command = batch.commands[stopped.position]
        match fence:
            case Fence.DOCTOR_SLOT | Fence.DOCTOR_SEQ:
                self._reader.forget(command.doctor_id)  # another worker has written for this doctor
            case Fence.PATIENT_TIME | Fence.OPEN_OFFER if isinstance(command, TendWaitlist):
                # The patient has got something with another doctor since the look-up. The next command looks again.
                batch.answer(stopped.position, refusal(command, _not_free(fence)))
                self._on_tended(Tended(command.doctor_id, again=True))
            case Fence.OPEN_OFFER:
                batch.answer(stopped.position, refusal(command, _not_free(fence)))
            case Fence.PATIENT_TIME:
                batch.answer(stopped.position, refusal(command, _patient_busy()))
                batch.busy |= await self._busy(batch)
            case Fence.PATIENT_PLACE:
                await self._read_places(batch)
            case Fence.APPOINTMENT | Fence.COMMAND:
                if stopped.state is None:
                    raise RuntimeError(f"{command.kind} was written for a doctor whom nobody has read")
                batch.answer(stopped.position, await self._answered_before(command, stopped.state))

    async def _read_places(self, batch: Batch) -> None:
        """Find free places for the waiting bookings, up to the first command that could free one."""
        bookings = _first_bookings(batch)
        patient_ids = {booking.patient_id for booking in bookings.values()}
        taken = await self._records.appointments.places_taken(patient_ids, self._most_active)
        batch.places |= free_places(bookings, taken, self._most_active)

    def _within_limit(self, batch: Batch, position: int, decision: Decision) -> Decision:
        """Return the decision, or the refusal of a booking whose patient has all the appointments that are allowed."""
        command = batch.commands[position]
        if not isinstance(decision, Accepted) or not isinstance(command, BookAppointment) or may_have_more(command):
            return decision
        none_free = position in batch.places and batch.places[position] is None
        return too_many(self._most_active) if none_free else decision

    def _settle(self, batch: Batch, plan: Sequence[_Planned]) -> None:
        """Answer decisions that are in the record, and keep the doctors' states after them."""
        latest: dict[str, tuple[DoctorState, RecordedEvent[Aggregate]]] = {}
        changed_days: dict[str, set[date]] = defaultdict(set)
        for planned in plan:
            command = batch.commands[planned.position]
            batch.answer(planned.position, answer(command, planned.decision, planned.state))
            if isinstance(command, TendWaitlist):
                self._on_tended(_tended(command, planned))
            if planned.recorded and planned.state:
                latest[command.doctor_id] = planned.state, planned.recorded[-1]
                changed_days[command.doctor_id] |= _changed_days(planned.recorded)
                self._on_saved(planned.recorded)
        for doctor_id, (state, last) in latest.items():
            self._reader.keep(state, LastEvent(last.event.seq, last.event.command_id), changed_days[doctor_id])

    def _tended(self, batch: Batch) -> set[str]:
        """Return the doctors whose waitlists the waiting commands tend."""
        waiting = (batch.commands[position] for position in batch.waiting())
        return {command.doctor_id for command in waiting if isinstance(command, TendWaitlist)}

    async def _busy(self, batch: Batch) -> set[int]:
        """Return the waiting bookings whose patient is busy, up to the first command that could free a patient."""
        bookings = {position: (each.patient_id, each.start) for position, each in _first_bookings(batch).items()}
        found = await self._records.appointments.busy(set(bookings.values())) if bookings else set()
        return {position for position, wanted in bookings.items() if wanted in found}

    async def _answered_before(self, command: Command, state: DoctorState) -> Answer:
        """Answer a command whose id is in the record already, perhaps for something else.

        Another worker may have applied it later than `state`, so what the answer needs is read again.
        """
        applied = await self._records.appointments.by_command(command.id)
        before = repeated(command, applied) if applied else None
        if before is None:
            raise RuntimeError("a fence said that this command has been applied, and the record does not show it")
        changed = await self._records.appointments.schedule_records([command.doctor_id])
        schedule_record = changed.get(command.doctor_id) or unchanged_schedule(state.schedule_record.initial)
        fresh = replace(state, schedule_record=schedule_record)
        if isinstance(applied, ScheduleRecord):  # its notices name the slots that are taken
            active = await self._records.appointments.active_since([command.doctor_id], self._clock())
            fresh = replace(fresh, slot_owners={one.start: one.id for one in active})
        return answer(command, before, fresh)


def _decide(state: DoctorState | None, command: Command, now: datetime, *, busy: bool) -> Decision:
    if state is None:
        return Refused(RefusalCode.NOT_FOUND, "There is no such doctor.")
    decision = decide(state, command, now)
    return _patient_busy() if busy and isinstance(decision, Accepted) else decision


def _placed(state: DoctorState, recorded: Recorded, place: int | None) -> tuple[DoctorState, Recorded]:
    """Give the appointment that was just booked a place among those of its patient."""
    *earlier, last = recorded
    state = state.with_place(last.aggregate.id, place)
    return state, [*earlier, replace(last, aggregate=state.appointments[last.aggregate.id])]


def _first_bookings(batch: Batch) -> dict[int, BookAppointment]:
    """Return the waiting bookings by position, up to the first command that could free a time or a place."""
    bookings: dict[int, BookAppointment] = {}
    for position in batch.waiting():
        command = batch.commands[position]
        if not isinstance(command, BookAppointment):
            break
        bookings[position] = command
    return bookings


def _tended(command: TendWaitlist, planned: _Planned) -> Tended:
    """Return what became of a command to tend a waitlist that was decided."""
    line = planned.state.line if planned.state else None
    if not isinstance(planned.decision, Refused) or planned.state is None or line is None:
        return Tended(command.doctor_id, again=planned.state is not None)
    return Tended(command.doctor_id, planned.state.seq, waiting=bool(line.waiting()))


def _not_free(fence: Fence) -> Refused:
    if fence is Fence.PATIENT_TIME:
        return _patient_busy()
    return Refused(RefusalCode.OFFER_OPEN, "The patient has an offer of another doctor and has not answered yet.")


def _patient_busy() -> Refused:
    return Refused(RefusalCode.PATIENT_BUSY, "The patient has another appointment at that time.")


def _changed_days(recorded: Recorded) -> set[date]:
    """Return the UTC days whose slots these events may have changed."""
    days = {each.aggregate.start.date() for each in recorded if isinstance(each.aggregate, Appointment)}
    moves = (each.event for each in recorded if isinstance(each.event, AppointmentRescheduled))
    return days | {move.previous_start.date() for move in moves}
