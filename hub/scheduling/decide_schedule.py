"""The decision about a change of a doctor's timetable: hours, time off, whether the doctor takes appointments.

Appointments that fall outside the new hours do not stand in the way: they stay, and the doctor is told of them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    AddTimeOff,
    ChangeHours,
    DisableDoctor,
    EnableDoctor,
    RemoveTimeOff,
    ScheduleChange,
)
from hub.scheduling.decision import Arranged, RefusalCode, Refused, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import (
    DoctorDisabled,
    DoctorEnabled,
    HoursChanged,
    ScheduleEvent,
    TimeOffAdded,
    TimeOffRemoved,
)
from hub.scheduling.schedule import Schedule, TimeOff
from hub.scheduling.values import Role


def arrange(calendar: DoctorState, command: ScheduleChange, now: datetime) -> Arranged | Refused:
    """Decide a change of the timetable at the instant `now` (UTC)."""
    if not _may_arrange(command):
        return Refused(RefusalCode.FORBIDDEN, "Doctors change their own hours; the clinic says who works there.")
    return _refuse(calendar.doctor, command, now) or Arranged(_caused(calendar, command, now))


def outside_hours(doctor: Schedule, appointments: Iterable[Appointment], now: datetime) -> list[Appointment]:
    """Return the active appointments to come, of these of the doctor, that nobody could book there any more."""
    return [one for one in appointments if one.active and one.start > now and not doctor.works_at(one.start)]


def _may_arrange(command: ScheduleChange) -> bool:
    match command:
        case ChangeHours() | AddTimeOff() | RemoveTimeOff():
            return command.by.role is Role.SYSTEM or command.by.id == command.doctor_id
        case DisableDoctor() | EnableDoctor():
            return command.by.role is Role.SYSTEM
        case _:
            assert_never(command)


def _refuse(doctor: Schedule, command: ScheduleChange, now: datetime) -> Refused | None:
    """Return why the change is not possible now, if so."""
    match command:
        case ChangeHours():
            return None
        case AddTimeOff():
            return _refuse_time_off(doctor, command, now)
        case RemoveTimeOff():
            if any(off.id == command.time_off_id for off in doctor.time_off):
                return None
            return Refused(RefusalCode.NOT_FOUND, "There is no such time off.")
        case DisableDoctor():
            return Refused(RefusalCode.WRONG_STATUS, "The doctor is disabled already.") if doctor.disabled else None
        case EnableDoctor():
            return None if doctor.disabled else Refused(RefusalCode.WRONG_STATUS, "The doctor is not disabled.")
        case _:
            assert_never(command)


def _refuse_time_off(doctor: Schedule, command: AddTimeOff, now: datetime) -> Refused | None:
    for name, instant in (("start", command.start), ("end", command.end)):
        if not doctor.on_grid(instant):
            return Refused(
                RefusalCode.OFF_GRID, f"Time off begins and ends on half hours of the doctor's clock: {name} does not."
            )
    if command.end <= now:
        return Refused(RefusalCode.IN_THE_PAST, "This time off would be over already: end is in the past.")
    return None


def _caused(calendar: DoctorState, command: ScheduleChange, now: datetime) -> ScheduleEvent:
    """Return the event of a change that is possible."""
    of_event = header(calendar, command, now)
    match command:
        case ChangeHours():
            return HoursChanged(**of_event, shifts=command.shifts)
        case AddTimeOff():
            off = TimeOff(id=command.id, start=command.start, end=command.end, note=command.note)
            return TimeOffAdded(**of_event, time_off=off)
        case RemoveTimeOff():
            return TimeOffRemoved(**of_event, time_off_id=command.time_off_id)
        case DisableDoctor():
            return DoctorDisabled(**of_event)
        case EnableDoctor():
            return DoctorEnabled(**of_event)
        case _:
            assert_never(command)
