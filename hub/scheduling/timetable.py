"""A doctor's timetable: weekly hours, time off, whether the doctor takes appointments; and how an event changes it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    DoctorDisabled,
    DoctorEnabled,
    HoursChanged,
    TaggedTimetableEvent,
    TimeOffAdded,
    TimeOffRemoved,
    TimetableEvent,
)
from hub.scheduling.hours import Doctor
from hub.scheduling.values import Id, Value


class Timetable(Value):
    """The whole of a timetable: how it was when the doctor was hired, how it is, and what happened in between.

    `version` counts the events, so it fences a writer who saw an older state; 0 is the timetable of the hiring, which
    has no history yet. The id is no id of an appointment, whatever clients call theirs.
    """

    id: Annotated[str, Field(pattern=r"^timetable:")]
    doctor_id: Id
    hired: Doctor
    doctor: Doctor
    version: int
    history: tuple[TaggedTimetableEvent, ...]

    @property
    def last(self) -> TimetableEvent:
        """The latest event; IndexError at version 0."""
        return self.history[-1]

    def caused_by(self, command_id: str) -> TimetableEvent | None:
        """Return the event that a command caused here, if it did."""
        return next((event for event in self.history if event.command_id == command_id), None)

    def as_of(self, seq: int) -> Doctor:
        """Return the doctor as of a point of the doctor's history: after every event up to this `seq`."""
        return fold_timetable(self.hired, (event for event in self.history if event.seq <= seq)).doctor


Aggregate = Appointment | Timetable
"""What has a history of its own and is written as a whole."""


def timetable_id(doctor_id: str) -> str:
    """Return the id of a doctor's timetable."""
    return f"timetable:{doctor_id}"


def hired(doctor: Doctor) -> Timetable:
    """Return the timetable of a doctor whose hours have never been changed."""
    return Timetable(
        id=timetable_id(doctor.id), doctor_id=doctor.id, hired=doctor, doctor=doctor, version=0, history=()
    )


def rearrange(timetable: Timetable, event: TimetableEvent) -> Timetable:
    """Return the timetable after the event."""
    return timetable.model_copy(
        update={
            "doctor": _changed(timetable.doctor, event),
            "version": timetable.version + 1,
            "history": (*timetable.history, event),
        },
    )


def fold_timetable(doctor: Doctor, history: Iterable[TimetableEvent]) -> Timetable:
    """Return the timetable that a history gives, beginning with the doctor as hired."""
    timetable = hired(doctor)
    for event in history:
        timetable = rearrange(timetable, event)
    return timetable


def _changed(doctor: Doctor, event: TimetableEvent) -> Doctor:
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
