"""A clinic whose clock is simulated: every command is decided by the rules, every deadline comes at its time."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from hub.ids import derived_id
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, MarkNoShow, RemindPatient, RescheduleAppointment
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted
from hub.scheduling.doctor_state import DoctorState, advance
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import hired
from hub.scheduling.slots import Slot, slots_of
from hub.scheduling.values import Actor, Role

_HUB = Actor(id="seed", role=Role.SYSTEM, via="seed")
_QUARTER = timedelta(minutes=15)

Act = Callable[[datetime], object]
"""What somebody does when its time has come; takes that time."""


class SimulatedClinic:
    """Doctors' calendars, and an agenda of what is going to happen.

    `stood` is every appointment as it stood after each of its events, in the order in which they happened.
    """

    def __init__(self, doctors: Sequence[Schedule], name: str) -> None:
        """`name` tells the command ids of this clinic from those of others; the same name gives the same ids."""
        self.stood: list[Appointment] = []
        self._name = name
        self._calendars = {
            d.id: DoctorState(schedule_record=hired(d), seq=0, slot_owners={}, appointments={}) for d in doctors
        }
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._tickets = count()

    def later(self, at: datetime, act: Act) -> None:
        """Put something on the agenda. What is there for the same time happens in the order in which it was put."""
        heappush(self._agenda, (at, next(self._tickets), act))

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is on the agenda before `end`, and what follows from it before then."""
        while self._agenda and self._agenda[0][0] < end:
            at, _, act = heappop(self._agenda)
            act(at)

    def command_id(self) -> str:
        """Return an id for the next command."""
        return derived_id("seed", self._name, str(next(self._tickets)))

    def slots(self, doctor_id: str, day: date, now: datetime) -> list[Slot]:
        """Return the doctor's slots of a calendar day."""
        calendar = self._calendars[doctor_id]
        return slots_of(calendar.doctor, day, calendar.slot_owners, now)

    def doctor(self, doctor_id: str) -> Schedule:
        """Return the doctor."""
        return self._calendars[doctor_id].doctor

    def give(self, command: Command) -> Appointment | None:
        """Let the rules decide at `command.at`; return the appointment after the command, or None when refused."""
        calendar = self._calendars[command.doctor_id]
        decision = decide(calendar, command, command.at)
        if not isinstance(decision, Accepted):
            return None
        calendar = advance(calendar, decision.appointment_id, decision.event)
        after = calendar.appointments[decision.appointment_id]
        if isinstance(command, BookAppointment | RescheduleAppointment) and self._is_busy(after):
            return None  # the actor learns this from the record
        self._calendars[command.doctor_id] = calendar
        self.stood.append(after)
        self._await_deadline(after)
        return after

    def _is_busy(self, taken: Appointment) -> bool:
        """Whether the patient has another appointment then, with whichever doctor."""
        overlapping = (
            calendar.appointments[holder]
            for calendar in self._calendars.values()
            for quarters in (-1, 0, 1)  # slots are on quarters of an hour in every zone
            if (holder := calendar.slot_owners.get(taken.start + quarters * _QUARTER))
        )
        return any(other.patient_id == taken.patient_id and other.id != taken.id for other in overlapping)

    def _await_deadline(self, appointment: Appointment) -> None:
        """Put the next deadline on the agenda. One that does not hold any more when it comes, the rules refuse."""
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
