"""The messages on the bus besides commands: replies and notices. JSON by pydantic, UTF-8 bytes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.decision import Refused
from hub.scheduling.events import Event, ScheduleEvent, TaggedEvent, TaggedScheduleEvent
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.slots import SlotChange, slot_changes
from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import AppointmentView, EntryView, entry_view, view
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.scheduling.waitlist_events import TaggedWaitlistEvent, WaitlistEvent


class SessionEnded(Value):
    """A log-in that ended at the instant `at`: its access tokens are refused and its sockets are closed."""

    session_id: Id
    at: Instant


class AppointmentNotice(Value):
    """An event of an appointment, with the appointment and the changed slots as they are right after the event.

    `event.seq` and `event.prev` put a doctor's notices in order and show when one is missing.
    """

    doctor_id: Id
    event: TaggedEvent
    appointment: AppointmentView
    slots: tuple[SlotChange, ...]


class ScheduleNotice(Value):
    """An event of a doctor's schedule, with the schedule right before and right after the event.

    The event may change a year of slots, so the message does not list them: a process works out the days that its
    clients watch. `taken` has those starts of active appointments at which the two schedules differ.
    """

    doctor_id: Id
    event: TaggedScheduleEvent
    before: Schedule
    after: Schedule = Field(alias="doctor")
    taken: tuple[Instant, ...]


class WaitlistNotice(Value):
    """An event of an entry of the waitlist, with the entry right after it."""

    doctor_id: Id
    event: TaggedWaitlistEvent
    entry: EntryView


Notice = AppointmentNotice | ScheduleNotice | WaitlistNotice
TaggedNotice = Annotated[Notice, Field(union_mode="left_to_right")]
NoticeAdapter: TypeAdapter[Notice] = TypeAdapter(TaggedNotice)


class Reply(Value):
    """The answer to a command, as it was asked at the instant `at`.

    `result` is the appointment, the schedule or the entry that the command changed, as the command left it: later
    commands may have changed it again before a repeated command is answered. A command that did nothing has a refusal
    instead.
    `replayed`: the command is a repetition, which was carried out before it was asked this time.
    `notices` are those of the command's events, so that the process that asked knows them before it answers its client.
    """

    command_id: Id
    at: Instant
    replayed: bool = False
    result: Annotated[AppointmentView | Schedule | EntryView | Refused, Field(union_mode="left_to_right")]
    notices: tuple[TaggedNotice, ...] = ()


Replies: TypeAdapter[list[Reply]] = TypeAdapter(list[Reply])
"""One message for all the commands of a batch that one api process is waiting for."""


def notice_of(recorded: RecordedEvent[Aggregate], schedule_record: ScheduleRecord, taken: Iterable[datetime]) -> Notice:
    """Return the notice of an event of the doctor whose schedule record this is.

    `schedule_record` and `taken`, the starts that appointments hold, may be those of a later moment. The schedule is
    taken back to the event; what has changed in a slot since then is told by later notices.
    """
    event = recorded.event
    after = as_of(schedule_record, event.seq).current
    if isinstance(recorded.aggregate, Appointment) and isinstance(event, Event):
        return AppointmentNotice(
            doctor_id=recorded.doctor_id,
            event=event,
            appointment=view(recorded.aggregate),
            slots=slot_changes(after, event, recorded.aggregate),
        )
    if isinstance(recorded.aggregate, WaitlistEntry) and isinstance(event, WaitlistEvent):
        return WaitlistNotice(doctor_id=recorded.doctor_id, event=event, entry=entry_view(recorded.aggregate))
    if not isinstance(event, ScheduleEvent):
        raise TypeError(f"{event.type!r} is no event of a schedule")
    before = as_of(schedule_record, event.prev).current
    differ = (
        start
        for start in sorted(taken)
        if start > event.at and (before.disabled != after.disabled or before.works_at(start) != after.works_at(start))
    )
    return ScheduleNotice(doctor_id=recorded.doctor_id, event=event, before=before, after=after, taken=tuple(differ))
