"""Refusals that have to be looked at twice: they met no fence, so what they go by may be old."""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command, RescheduleAppointment, ScheduleChange
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.doctor_state import DoctorState

_BY_TIMETABLE = frozenset({RefusalCode.OUTSIDE_HOURS, RefusalCode.DOCTOR_UNAVAILABLE})


@dataclass(frozen=True)
class Holder:
    """The appointment that has the slot at `start`, as far as we know."""

    id: str
    start: datetime

    def holds(self, stored: Appointment | None) -> bool:
        """Whether it still does."""
        return stored is not None and stored.active and stored.start == self.start


@dataclass(frozen=True)
class Refusal:
    """A command, at `position` of its batch, that was refused by this calendar."""

    position: int
    command: Command
    calendar: DoctorState
    refused: Refused

    @property
    def holder(self) -> Holder | None:
        """Who has the slot, by our table, that the command wants."""
        command = self.command
        if isinstance(command, BookAppointment | RescheduleAppointment) and (
            id_ := self.calendar.slot_owners.get(command.start)
        ):
            return Holder(id_, command.start)
        return None

    @property
    def by_timetable(self) -> bool:
        """Whether the doctor's timetable says no: it may be another one by now."""
        return isinstance(self.command, ScheduleChange) or self.refused.code in _BY_TIMETABLE
