"""What travels over the bus besides commands: replies and notices. JSON by pydantic, UTF-8 bytes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hub.scheduling.appointment import Appointment
from hub.scheduling.decision import RefusalCode
from hub.scheduling.events import Event, ScheduleEvent, TaggedEvent, TaggedScheduleEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.slots import SlotChange, slot_changes
from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import AppointmentView, view


class Done(Value):
    """The command is in the record: `appointment` as it stands now, which a repeated command may find changed again."""

    command_id: Id
    ok: Literal[True] = True
    appointment: AppointmentView


class TimetableDone(Value):
    """The command has changed the doctor's timetable: `doctor` is how it stands now."""

    command_id: Id
    ok: Literal[True] = True
    doctor: Schedule


class Declined(Value):
    """The command did nothing, for this reason. `at` says which asking was refused; an older one counts no more."""

    command_id: Id
    at: Instant | None = None
    ok: Literal[False] = False
    code: RefusalCode
    detail: str


Reply = Done | Declined | TimetableDone
Replies: TypeAdapter[list[Reply]] = TypeAdapter(list[Annotated[Reply, Field(union_mode="left_to_right")]])
"""One message for all the commands of a batch that one api process is waiting for."""


class SessionEnded(Value):
    """A log-in is over since `at`: its access tokens are worth nothing any more, and its sockets are to be closed."""

    session_id: Id
    at: Instant


class AppointmentNotice(Value):
    """One event of a doctor's history, with the appointment and the slots as they are right after it.

    `event.seq` and `event.prev` order the notices of a doctor and show a gap.
    """

    doctor_id: Id
    event: TaggedEvent
    appointment: AppointmentView
    slots: tuple[SlotChange, ...]


class ScheduleNotice(Value):
    """The same of an event of the doctor's timetable, with the doctor right before and right after it.

    It changes slots of any day, up to a year of them, so who watches a day works out that day's. `taken` are the starts
    that somebody holds, of those on which the two differ.
    """

    doctor_id: Id
    event: TaggedScheduleEvent
    before: Schedule
    doctor: Schedule
    taken: tuple[Instant, ...]


Notice = AppointmentNotice | ScheduleNotice
NoticeAdapter: TypeAdapter[Notice] = TypeAdapter(Annotated[Notice, Field(union_mode="left_to_right")])


def notice_of(doctor: Schedule, event: Event, after: Appointment) -> AppointmentNotice:
    """Return what is told of an event; `doctor` and `after` are the doctor and the appointment right after it."""
    return AppointmentNotice(
        doctor_id=doctor.id, event=event, appointment=view(after), slots=slot_changes(doctor, event, after)
    )


def schedule_notice_of(
    schedule_record: ScheduleRecord, event: ScheduleEvent, held: Iterable[datetime]
) -> ScheduleNotice:
    """Return what is told of an event of the timetable; `held` are the starts of active appointments after it.

    They may be those of a later moment: what has happened to a slot since is told by notices that come later.
    """
    before, after = schedule_record.as_of(event.prev), schedule_record.as_of(event.seq)
    differ = (
        start
        for start in sorted(held)
        if start > event.at and (before.disabled != after.disabled or before.works_at(start) != after.works_at(start))
    )
    return ScheduleNotice(
        doctor_id=schedule_record.doctor_id, event=event, before=before, doctor=after, taken=tuple(differ)
    )
