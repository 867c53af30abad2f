"""A clinic with a simulated clock: the rules decide every command, and every deadline comes due in simulated time."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from hub.ids import derived_id
from hub.scheduling.appointment import Appointment
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
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import Slot, slots_of
from hub.scheduling.values import Actor, Role

_HUB = Actor(id="seed", role=Role.SYSTEM, via="seed")
_QUARTER = timedelta(minutes=15)

Action = Callable[[datetime], object]
"""A scheduled action; it is called with its time."""


class SimulatedClinic:
    """The states of the doctors, and a queue of scheduled actions.

    `versions` has each appointment after each of its events, in the order of the events.
    """

    def __init__(self, doctors: Sequence[Schedule], name: str) -> None:
        """`name` is part of the command ids, so that the same name gives the same ids."""
        self.versions: list[Appointment] = []
        self._name = name
        self._states = {doctor.id: DoctorState.new(doctor) for doctor in doctors}
        self._agenda: list[tuple[datetime, int, Action]] = []
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

    def give(self, command: Command) -> Appointment | None:
        """Decide a command at `command.at`; return the appointment after it, or None when it is refused."""
        state = self._states[command.doctor_id]
        decision = decide(state, command, command.at)
        if not isinstance(decision, Accepted):
            return None
        state, _ = state.apply_all(decision.aggregate_id, decision.events)
        after = state.appointments[decision.aggregate_id]
        if isinstance(command, BookAppointment | RescheduleAppointment | CheckInPatient) and self._is_busy(after):
            return None  # the real actor learns this from the record
        self._states[command.doctor_id] = state
        self.versions.append(after)
        self._await_deadline(after)
        return after

    def _is_busy(self, taken: Appointment) -> bool:
        """Whether the patient has another appointment at that time, with any doctor."""
        overlapping = (
            state.appointments[owner]
            for state in self._states.values()
            for quarters in (-1, 0, 1)  # slots are on quarters of an hour in every zone
            if (owner := state.slot_owners.get(taken.start + quarters * _QUARTER))
        )
        return any(other.patient_id == taken.patient_id and other.id != taken.id for other in overlapping)

    def _await_deadline(self, appointment: Appointment) -> None:
        """Schedule the next deadline. If it no longer applies when it comes due, the rules refuse its command."""
        if appointment.due is None:
            return
        kind = RemindPatient if appointment.due_kind == "reminder" else MarkNoShow

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
