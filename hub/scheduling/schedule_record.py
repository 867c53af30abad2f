"""A doctor's schedule with its history: weekly hours, time off, and whether the doctor takes appointments."""

from typing import Annotated

from pydantic import Field

from hub.scheduling.events import ScheduleEvent, TaggedScheduleEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Id, Value


class ScheduleRecord(Value):
    """A doctor's schedule as the account was made with (`initial`), as it is now (`current`), and its history.

    `version` is the number of events; at version 0 the schedule has not been changed and is not stored. The prefix of
    the id keeps it apart from the ids of appointments, which clients may choose. Stored documents call `initial`
    `hired` and `current` `doctor`.
    """

    id: Annotated[str, Field(pattern=r"^timetable:")]
    doctor_id: Id
    initial: Schedule = Field(alias="hired")
    current: Schedule = Field(alias="doctor")
    version: int
    history: tuple[TaggedScheduleEvent, ...]

    @property
    def last(self) -> ScheduleEvent:
        """The latest event; IndexError at version 0."""
        return self.history[-1]


def schedule_id(doctor_id: str) -> str:
    """Return the id of a doctor's schedule record."""
    return f"timetable:{doctor_id}"


def unchanged_schedule(schedule: Schedule) -> ScheduleRecord:
    """Return the record of a schedule that has not been changed since the doctor's account was made."""
    return ScheduleRecord(
        id=schedule_id(schedule.id),
        doctor_id=schedule.id,
        initial=schedule,
        current=schedule,
        version=0,
        history=(),
    )
