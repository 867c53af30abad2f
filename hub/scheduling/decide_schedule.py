"""The decision about a change of a doctor's schedule: hours, time off, whether the doctor takes appointments.

Appointments that fall outside the new hours do not prevent the change: they stay, and the doctor is told of them.
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
from hub.scheduling.decision import Accepted, RefusalCode, Refused, header
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


def decide_schedule(state: DoctorState, command: ScheduleChange, now: datetime) -> Accepted | Refused:
    """Decide a change of the schedule at the instant `now` (UTC)."""
    if not _may_change(command):
        return Refused(RefusalCode.FORBIDDEN, "Doctors change their own hours; the clinic says who works there.")
    if refusal := _refuse(state.schedule, command, now):
        return refusal
    return Accepted(state.schedule_record.id, (_event(state, command, now),))


def outside_hours(schedule: Schedule, appointments: Iterable[Appointment], now: datetime) -> list[Appointment]:
    """Return those of the doctor's appointments that are active, in the future, and outside the doctor's hours."""
    return [one for one in appointments if one.active and one.start > now and not schedule.works_at(one.start)]


def _may_change(command: ScheduleChange) -> bool:
    match command:
        case ChangeHours() | AddTimeOff() | RemoveTimeOff():
            own = command.by.role is Role.DOCTOR and command.by.id == command.doctor_id
            return own or command.by.role is Role.SYSTEM
        case DisableDoctor() | EnableDoctor():
            return command.by.role is Role.SYSTEM
        case _:
            assert_never(command)


def _refuse(schedule: Schedule, command: ScheduleChange, now: datetime) -> Refused | None:
    """Return why the change is not possible now, if so."""
    match command:
        case ChangeHours():
            return None
        case AddTimeOff():
            return _refuse_time_off(schedule, command, now)
        case RemoveTimeOff():
            if any(off.id == command.time_off_id for off in schedule.time_off):
                return None
            return Refused(RefusalCode.NOT_FOUND, "There is no such time off.")
        case DisableDoctor():
            return Refused(RefusalCode.WRONG_STATUS, "The doctor is disabled already.") if schedule.disabled else None
        case EnableDoctor():
            return None if schedule.disabled else Refused(RefusalCode.WRONG_STATUS, "The doctor is not disabled.")
        case _:
            assert_never(command)


def _refuse_time_off(schedule: Schedule, command: AddTimeOff, now: datetime) -> Refused | None:
    for name, instant in (("start", command.start), ("end", command.end)):
        if not schedule.on_grid(instant):
            return Refused(
                RefusalCode.OFF_GRID, f"Time off begins and ends on half hours of the doctor's clock: {name} does not."
            )
    if command.end <= now:
        return Refused(RefusalCode.IN_THE_PAST, "This time off would be over already: end is in the past.")
    return None


def _event(state: DoctorState, command: ScheduleChange, now: datetime) -> ScheduleEvent:
    """Return the event of a change that nothing forbids."""
    fields = header(state, command, now)
    match command:
        case ChangeHours():
            return HoursChanged(**fields, shifts=command.shifts)
        case AddTimeOff():
            off = TimeOff(id=command.id, start=command.start, end=command.end, note=command.note)
            return TimeOffAdded(**fields, time_off=off)
        case RemoveTimeOff():
            return TimeOffRemoved(**fields, time_off_id=command.time_off_id)
        case DisableDoctor():
            return DoctorDisabled(**fields)
        case EnableDoctor():
            return DoctorEnabled(**fields)
        case _:
            assert_never(command)
