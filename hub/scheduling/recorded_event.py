"""An event of a doctor's history together with the state right after it."""

from dataclasses import dataclass

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import Event, ScheduleEvent
from hub.scheduling.schedule_record import ScheduleRecord


@dataclass(frozen=True)
class Happened:
    """An event of a doctor's history and the appointment as it stood right after it."""

    event: Event
    appointment: Appointment

    @property
    def doctor_id(self) -> str:
        """Whose history it is."""
        return self.appointment.doctor_id


@dataclass(frozen=True)
class Rearranged:
    """An event of a doctor's timetable, and the timetable as it stood right after it."""

    event: ScheduleEvent
    schedule_record: ScheduleRecord

    @property
    def doctor_id(self) -> str:
        """Whose history it is."""
        return self.schedule_record.doctor_id


Past = Happened | Rearranged
"""One event of a doctor's history."""
