"""What travels over the bus besides commands: replies and notices. JSON by pydantic, UTF-8 bytes."""

from typing import Literal

from pydantic import TypeAdapter

from hub.scheduling.appointment import Appointment
from hub.scheduling.decide import RefusalCode
from hub.scheduling.events import Event, TaggedEvent
from hub.scheduling.hours import Doctor
from hub.scheduling.slots import SlotChange, slot_changes
from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import AppointmentView, view


class Done(Value):
    """The command is in the record: `appointment` as it stands now, which a repeated command may find changed again."""

    command_id: Id
    ok: Literal[True] = True
    appointment: AppointmentView


class Declined(Value):
    """The command did nothing, for this reason. `at` says which asking was refused; an older one counts no more."""

    command_id: Id
    at: Instant | None = None
    ok: Literal[False] = False
    code: RefusalCode
    detail: str


Reply = Done | Declined
Replies: TypeAdapter[list[Reply]] = TypeAdapter(list[Reply])
"""One message for all the commands of a batch that one api process is waiting for."""


class SessionEnded(Value):
    """A log-in is over since `at`: its access tokens are worth nothing any more, and its sockets are to be closed."""

    session_id: Id
    at: Instant


class Notice(Value):
    """One event of a doctor's history, with the appointment and the slots as they are right after it.

    `event.seq` and `event.prev` order the notices of a doctor and show a gap.
    """

    doctor_id: Id
    event: TaggedEvent
    appointment: AppointmentView
    slots: tuple[SlotChange, ...]


def notice_of(doctor: Doctor, event: Event, after: Appointment) -> Notice:
    """Return what is told of an event; `after` is the appointment right after it."""
    return Notice(doctor_id=doctor.id, event=event, appointment=view(after), slots=slot_changes(doctor, event, after))
