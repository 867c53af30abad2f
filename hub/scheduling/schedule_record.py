"""A doctor's timetable: weekly hours, time off, whether the doctor takes appointments; and how an event changes it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    DoctorDisabled,
    DoctorEnabled,
    HoursChanged,
    ScheduleEvent,
    TaggedScheduleEvent,
    TimeOffAdded,
    TimeOffRemoved,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Id, Value


class ScheduleRecord(Value):
    """The whole of a timetable: how it was when the doctor was hired, how it is, and what happened in between.

    `version` counts the events, so it fences a writer who saw an older state; 0 is the timetable of the hiring, which
    has no history yet. The id is no id of an appointment, whatever clients call theirs.
    """

    id: Annotated[str, Field(pattern=r"^timetable:")]
    doctor_id: Id
    hired: Schedule
    doctor: Schedule
    version: int
    history: tuple[TaggedScheduleEvent, ...]

    @property
    def last(self) -> ScheduleEvent:
        """The latest event; IndexError at version 0."""
        return self.history[-1]

    def caused_by(self, command_id: str) -> ScheduleEvent | None:
        """Return the event that a command caused here, if it did."""
        return next((event for event in self.history if event.command_id == command_id), None)

    def as_of(self, seq: int) -> Schedule:
        """Return the doctor as of a point of the doctor's history: after every event up to this `seq`."""
        return fold_timetable(self.hired, (event for event in self.history if event.seq <= seq)).doctor


Aggregate = Appointment | ScheduleRecord
"""What has a history of its own and is written as a whole."""


def schedule_id(doctor_id: str) -> str:
    """Return the id of a doctor's timetable."""
    return f"timetable:{doctor_id}"


def hired(doctor: Schedule) -> ScheduleRecord:
    """Return the timetable of a doctor whose hours have never been changed."""
    return ScheduleRecord(
        id=schedule_id(doctor.id), doctor_id=doctor.id, hired=doctor, doctor=doctor, version=0, history=()
    )


def rearrange(schedule_record: ScheduleRecord, event: ScheduleEvent) -> ScheduleRecord:
    """Return the timetable after the event."""
    return schedule_record.model_copy(
        update={
            "doctor": _changed(schedule_record.doctor, event),
            "version": schedule_record.version + 1,
            "history": (*schedule_record.history, event),
        },
    )


def fold_timetable(doctor: Schedule, history: Iterable[ScheduleEvent]) -> ScheduleRecord:
    """Return the timetable that a history gives, beginning with the doctor as hired."""
    schedule_record = hired(doctor)
    for event in history:
        schedule_record = rearrange(schedule_record, event)
    return schedule_record


def _changed(doctor: Schedule, event: ScheduleEvent) -> Schedule:
    match event:
        case HoursChanged(shifts=shifts):
            return doctor.model_copy(update={"shifts": shifts})
        case TimeOffAdded(time_off=added):
            return doctor.model_copy(update={"time_off": (*doctor.time_off, added)})
        case TimeOffRemoved(time_off_id=removed):
            left = tuple(off for off in doctor.time_off if off.id != removed)
            return doctor.model_copy(update={"time_off": left})
        case DoctorDisabled():
            return doctor.model_copy(update={"disabled": True})
        case DoctorEnabled():
            return doctor.model_copy(update={"disabled": False})
