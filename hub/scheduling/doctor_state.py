"""What one doctor's actor knows when it decides, and how an event changes that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.scheduling.appointment import Appointment, evolve
from hub.scheduling.events import AppointmentBooked, Event, ScheduleEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, rearrange


@dataclass(frozen=True)
class DoctorState:
    """A doctor's timetable, the last `seq`, who holds which slot, and the appointments that the commands speak of.

    `holders` maps the start (UTC) of an active appointment to its id; it covers at least every day that a command
    names, and every day when one changes the timetable. `appointments` holds, by id, every appointment of this doctor
    that a command names.
    """

    schedule_record: ScheduleRecord
    seq: int
    slot_owners: Mapping[datetime, str]
    appointments: Mapping[str, Appointment]

    @property
    def doctor(self) -> Schedule:
        """The doctor's rules as they are now."""
        return self.schedule_record.doctor


def advance(calendar: DoctorState, appointment_id: str, event: Event) -> DoctorState:
    """Return the calendar after an event of the appointment."""
    before = None if isinstance(event, AppointmentBooked) else calendar.appointments[appointment_id]
    after = evolve(before, event)
    slot_owners = {start: holder for start, holder in calendar.slot_owners.items() if holder != appointment_id}
    if after.active:
        slot_owners[after.start] = after.id
    return replace(
        calendar,
        seq=event.seq,
        slot_owners=slot_owners,
        appointments={**calendar.appointments, after.id: after},
    )


def advance_timetable(calendar: DoctorState, event: ScheduleEvent) -> DoctorState:
    """Return the calendar after an event of the timetable; appointments stay, also those outside the new hours."""
    return replace(calendar, seq=event.seq, schedule_record=rearrange(calendar.schedule_record, event))
