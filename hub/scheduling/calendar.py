"""What one doctor's actor knows when it decides, and how an event changes that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.scheduling.appointment import Appointment, evolve
from hub.scheduling.events import AppointmentBooked, Event, TimetableEvent
from hub.scheduling.hours import Doctor
from hub.scheduling.timetable import Timetable, rearrange


@dataclass(frozen=True)
class Calendar:
    """A doctor's timetable, the last `seq`, who holds which slot, and the appointments that the commands speak of.

    `holders` maps the start (UTC) of an active appointment to its id; it covers at least every day that a command
    names, and every day when one changes the timetable. `appointments` holds, by id, every appointment of this doctor
    that a command names.
    """

    timetable: Timetable
    seq: int
    holders: Mapping[datetime, str]
    appointments: Mapping[str, Appointment]

    @property
    def doctor(self) -> Doctor:
        """The doctor's rules as they are now."""
        return self.timetable.doctor


def advance(calendar: Calendar, appointment_id: str, event: Event) -> Calendar:
    """Return the calendar after an event of the appointment."""
    before = None if isinstance(event, AppointmentBooked) else calendar.appointments[appointment_id]
    after = evolve(before, event)
    holders = {start: holder for start, holder in calendar.holders.items() if holder != appointment_id}
    if after.active:
        holders[after.start] = after.id
    return replace(
        calendar,
        seq=event.seq,
        holders=holders,
        appointments={**calendar.appointments, after.id: after},
    )


def advance_timetable(calendar: Calendar, event: TimetableEvent) -> Calendar:
    """Return the calendar after an event of the timetable; appointments stay, also those outside the new hours."""
    return replace(calendar, seq=event.seq, timetable=rearrange(calendar.timetable, event))
