"""A clinic with a simulated clock: the rules decide every command, and every deadline comes due in simulated time."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count

from hub.ids import derived_id
from hub.scheduling.appointment import Appointment, DueKind
from hub.scheduling.commands import (
    BookAppointment,
    CheckInPatient,
    Command,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
)
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.line import Line, OfferPolicy, candidates
from hub.scheduling.schedule import Schedule, zone
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.slots import Slot, slots_of
from hub.scheduling.values import Actor, Role, Status
from hub.scheduling.waitlist_commands import JoinWaitlist, LapseOffer, OfferSlot, TendWaitlist
from hub.scheduling.waitlist_entry import WaitlistEntry

_HUB = Actor(id="seed", role=Role.SYSTEM, via="seed")
_QUARTER = timedelta(minutes=15)
_POLICY = OfferPolicy()

Action = Callable[[datetime], object]
"""A scheduled action; it is called with its time."""
Version = Appointment | WaitlistEntry
"""An appointment or an entry of a waitlist as it is after one of its events."""


class SimulatedClinic:
    """The states of the doctors, and a queue of scheduled actions.

    `versions` has each appointment and each entry of a waitlist after each of its events, in the order of the events.
    `on_offer` is called with each offer that is made; it is set later than the rest.
    """

    def __init__(self, doctors: Sequence[Schedule], name: str) -> None:
        """`name` is part of the command ids, so that the same name gives the same ids."""
        self.versions: list[Version] = []
        self.on_offer: Callable[[Appointment], object] = lambda _: None
        self._name = name
        nobody = Line(_POLICY, {}, {})
        self._states = {doctor.id: DoctorState.new(doctor).with_line(nobody) for doctor in doctors}
        self._agenda: list[tuple[datetime, int, Action]] = []
        self._tended_at: set[datetime] = set()
        self._tickets = count()

    def later(self, at: datetime, action: Action) -> None:
        """Schedule an action. Actions for the same time run in the order in which they were scheduled."""
        heappush(self._agenda, (at, next(self._tickets), action))

    def run_until(self, end: datetime) -> None:
        """Run all actions before `end`, including those that they schedule."""
        while self._agenda and self._agenda[0][0] < end:
            at, _, action = heappop(self._agenda)
            action(at)

    def command_id(self) -> str:
        """Return an id for the next command."""
        return derived_id("seed", self._name, str(next(self._tickets)))

    def slots(self, doctor_id: str, day: date, now: datetime) -> list[Slot]:
        """Return the slots of a doctor's calendar day."""
        state = self._states[doctor_id]
        return slots_of(state.schedule, day, state.slot_owners, now)

    def doctor(self, doctor_id: str) -> Schedule:
        """Return the doctor's schedule."""
        return self._states[doctor_id].schedule

    def line(self, doctor_id: str) -> list[WaitlistEntry]:
        """Return who waits for the doctor, the first in the line first."""
        line = self._states[doctor_id].line
        return line.waiting() if line else []

    def owner(self, doctor_id: str, start: datetime) -> Appointment | None:
        """Return the appointment or the offer that holds a slot."""
        state = self._states[doctor_id]
        return state.appointments.get(state.slot_owners.get(start, ""))

    def give(self, command: Command) -> Version | None:
        """Decide a command at `command.at`, and do what the waitlists need then.

        Returns the appointment or the entry after the command, or None when it is refused.
        """
        after = self._decided(command)
        if after and _may_free(after):
            self._tend(self._may_move(after), command.at)
        return after

    def is_busy(self, patient_id: str, start: datetime, but: str = "") -> bool:
        """Return whether the patient has an appointment at that time, with any doctor; `but`: one that is left out."""
        overlapping = (
            state.appointments[owner]
            for state in self._states.values()
            for quarters in (-1, 0, 1)  # slots are on quarters of an hour in every zone
            if (owner := state.slot_owners.get(start + quarters * _QUARTER))
        )
        return any(other.patient_id == patient_id and other.id != but for other in overlapping)

    def _decided(self, command: Command) -> Version | None:
        state = self._states[command.doctor_id]
        if isinstance(command, TendWaitlist):
            state = self._with_candidate(state, command.at)
        decision = decide(state, command, command.at)
        if not isinstance(decision, Accepted):
            return None
        state, _ = state.apply_all(decision.aggregate_id, decision.events)
        after = state.aggregate(decision.aggregate_id)
        if after is None or isinstance(after, ScheduleRecord):
            raise TypeError(f"the seed does not change schedules, as {command.kind} does")
        takes_time = isinstance(command, BookAppointment | RescheduleAppointment | CheckInPatient | OfferSlot)
        if isinstance(after, Appointment) and takes_time and self.is_busy(after.patient_id, after.start, after.id):
            return None  # the real actor learns this from the record
        self._states[command.doctor_id] = state.with_line(state.line.tidied()) if state.line else state
        self.versions.append(after)
        if isinstance(command, JoinWaitlist):
            # An entry ends after its last day.
            _, end = state.schedule.day_bounds(command.wish.last_day)
            self._tend_at(end)
        if isinstance(after, Appointment):
            self._await_deadline(after)
            if after.version == 1 and after.status is Status.OFFERED:
                self.on_offer(after)
        return after

    def _may_move(self, after: Version) -> list[str]:
        """Return the doctors whose lines may move: whoever has become free may fit with another doctor as well."""
        return [
            doctor_id
            for doctor_id in self._states
            if (line := self.line(doctor_id))
            and (doctor_id == after.doctor_id or any(each.patient_id == after.patient_id for each in line))
        ]

    def _tend(self, doctor_ids: Iterable[str], now: datetime) -> None:
        """Do what the waitlists of these doctors need."""
        for doctor_id in doctor_ids:
            while self._decided(TendWaitlist(id=self.command_id(), doctor_id=doctor_id, by=_HUB, at=now)):
                pass  # a command does one thing
            if not _POLICY.may_text(self.doctor(doctor_id), now):
                self._tend_at(_next_opening(self.doctor(doctor_id), now))

    def _tend_at(self, instant: datetime) -> None:
        if instant not in self._tended_at:
            self._tended_at.add(instant)
            self.later(instant, lambda now: self._tend(filter(self.line, self._states), now))

    def _with_candidate(self, state: DoctorState, now: datetime) -> DoctorState:
        """Return the state with a line that knows who is not free. The real actor looks it up in the record."""
        if state.line is None:
            return state
        lines = [other.line for other in self._states.values() if other.line]
        offers = [each for line in lines for each in line.offers.values()]
        asked = {each.patient_id for each in offers if each.status is Status.OFFERED}
        line = state.line.without((), asked)
        busy = {
            (each.entry.patient_id, each.start)
            for each in candidates(state.schedule, line, state.slot_owners.keys(), now)
            if self.is_busy(each.entry.patient_id, each.start)
        }
        return state.with_line(line.without(busy, ()))

    def _await_deadline(self, appointment: Appointment) -> None:
        """Schedule the next deadline. If it no longer applies when it comes due, the rules refuse its command."""
        if appointment.due is None:
            return
        kind = _AT_DEADLINE[appointment.due_kind or "no_show"]

        def act(now: datetime) -> None:
            self.give(
                kind(
                    id=self.command_id(),
                    doctor_id=appointment.doctor_id,
                    by=_HUB,
                    at=now,
                    appointment_id=appointment.id,
                    start=appointment.start,
                ),
            )

        self.later(appointment.due, act)


_AT_DEADLINE: dict[DueKind, type[RemindPatient | MarkNoShow | LapseOffer]] = {
    "reminder": RemindPatient,
    "no_show": MarkNoShow,
    "offer": LapseOffer,
}


def _may_free(after: Version) -> bool:
    """Return whether the latest event may have freed a slot or a patient, or lets somebody wait."""
    if isinstance(after, WaitlistEntry):
        return True
    return not after.holds_slot or after.last.type in {"accepted", "rescheduled"}


def _next_opening(doctor: Schedule, now: datetime) -> datetime:
    """Return when offers are made again, the next day or later today."""
    here = zone(doctor.zone)
    local = now.astimezone(here)
    opens = datetime.combine(local.date(), time(_POLICY.opens // 60, _POLICY.opens % 60), here)
    later = opens if local < opens else opens + timedelta(days=1)
    return later.astimezone(UTC)
