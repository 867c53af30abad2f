"""What the server sends over a socket, as models: for the AsyncAPI document, and for the tests that check the code.

The code itself sends plain mappings: they are made for every event and every ack, and a model would validate each.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, get_args

from pydantic import Field

from api.commands.waitlist import ListedEntry
from api.http.problems import Code
from api.people.names import NamedAppointment, NamedEntry
from api.resources.board import BoardDoctor
from hub.scheduling.events import Event, ScheduleEvent
from hub.scheduling.schedule import TimeOff
from hub.scheduling.slots import Slot
from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import ScheduleView
from hub.scheduling.waitlist_events import WaitlistEvent

_HTTP_ONLY: frozenset[Code] = frozenset(
    {
        "malformed_json",
        "malformed_request",
        "body_too_large",
        "unsupported_media_type",
        "method_not_allowed",
        "invalid_credentials",
        "email_taken",
        "phone_taken",
        "already_joined",
    }
)
CODES: tuple[Code, ...] = tuple(code for code in get_args(Code) if code not in _HTTP_ONLY)
"""The error codes of the sockets."""
APPOINTMENT_EVENT_TYPES: tuple[str, ...] = tuple(each.model_fields["type"].default for each in get_args(Event))
WAITLIST_EVENT_TYPES: tuple[str, ...] = tuple(each.model_fields["type"].default for each in get_args(WaitlistEvent))
SCHEDULE_EVENT_TYPES: tuple[str, ...] = tuple(each.model_fields["type"].default for each in get_args(ScheduleEvent))


class AppointmentChanged(Value):
    """One of the client's own appointments was booked or changed. `seq` and `prev` count the events of its doctor."""

    type: str
    appointment: NamedAppointment
    seq: int
    prev: int


class CalendarChanged(Value):
    """The doctor's own hours, time off or availability changed. Only the doctor is sent this.

    `seq` and `prev` count the doctor's events, together with those of the appointments.
    """

    type: str
    calendar: ScheduleView
    seq: int
    prev: int


class WaitingChanged(Value):
    """An entry of the waitlist was made or has changed. Its patient is sent this, its doctor and the receptionists.

    `seq` and `prev` count the doctor's events, together with those of the appointments.
    """

    type: str
    entry: NamedEntry
    seq: int
    prev: int


class SlotChanged(Value):
    """A slot of a watched day became free or taken; the event never says by whom.

    A slot that the doctor's hours no longer cover becomes taken. A slot that was not in the ack is new, because the
    doctor's hours changed. `seq` is the event of the doctor that changed the slot.
    """

    doctor_id: Id
    start: Instant
    available: bool
    seq: int


class TokenExpiring(Value):
    """The access token expires soon. Send a new one with `authenticate`, or the server disconnects at `expiresAt`."""

    expires_at: Instant


class Closing(Value):
    """The last event before the server disconnects the client, with the reason."""

    code: str
    detail: str


EventName = Literal["appointment", "calendar", "waiting", "slot", "token_expiring", "closing"]
EVENTS: Mapping[EventName, type[Value]] = {
    "appointment": AppointmentChanged,
    "calendar": CalendarChanged,
    "waiting": WaitingChanged,
    "slot": SlotChanged,
    "token_expiring": TokenExpiring,
    "closing": Closing,
}
"""The events that the server sends, by name."""


class WrongField(Value):
    """What is wrong with one field of the argument."""

    pointer: str
    detail: str
    code: str


class Error(Value):
    """Why the command was refused: `code` is for programs, `detail` for people; `errors` only with `invalid_request`.

    `retryAfter` comes with `too_many_requests`: the seconds after which the same command may be sent again.
    `appointmentId` comes with `slot_taken` when the slot is taken by an appointment of the same patient.
    """

    code: str
    detail: str
    errors: tuple[WrongField, ...] = ()
    retry_after: int = 1
    appointment_id: Id = ""


class RefusedAck(Value):
    """The ack of a command that was refused or failed."""

    ok: Literal[False]
    error: Error


class _CommandAck(Value):
    """The change is stored. `replayed` is sent only when the command had been carried out before: the same `commandId`.

    The ack of a repetition has the result of the first time, also if something else has changed since. `position` has
    the last `seq` of the doctor that the command caused.
    """

    ok: Literal[True]
    replayed: Literal[True] = True
    position: dict[Id, int] = Field(default_factory=dict)


class AppointmentAck(_CommandAck):
    """The change is stored; `appointment` is the appointment right after it.

    `replayed: true` is added when the command had been carried out before under this `commandId`.
    """

    appointment: NamedAppointment


class CalendarAck(_CommandAck):
    """The change is stored; `calendar` is the schedule right after it. The appointments `outside` the hours stay.

    `replayed: true` is added when the command had been carried out before under this `commandId`; `outside` is read
    anew then.
    """

    calendar: ScheduleView
    outside: tuple[NamedAppointment, ...]


class TimeOffAck(_CommandAck):
    """The time off is stored. The future appointments that are now `outside` the doctor's hours stay.

    `replayed: true` is added when the command had been carried out before under this `commandId`.
    """

    time_off: TimeOff
    outside: tuple[NamedAppointment, ...]


class SlotsAck(Value):
    """The slots of the day; every later change comes as a `slot` event.

    `position` is the last `seq` of the doctor that the slots include.
    """

    ok: Literal[True]
    slots: tuple[Slot, ...]
    position: dict[Id, int]


class EntryAck(_CommandAck):
    """The change is stored; `entry` is the entry of the waitlist right after it.

    `replayed: true` is added when the command had been carried out before under this `commandId`.
    """

    entry: ListedEntry


class WaitlistAck(Value):
    """The waiting entries that the client may see: a patient's own ones, or lines, the first in each line first."""

    ok: Literal[True]
    entries: tuple[ListedEntry, ...]


class BoardAck(Value):
    """The day of several doctors, ordered by their names. `position` is the last `seq` of each that it includes.

    Later changes come as `appointment` and `slot` events; ignore an `appointment` event whose `seq` is not above the
    position of its doctor.
    """

    ok: Literal[True]
    date: date
    position: dict[Id, int]
    doctors: tuple[BoardDoctor, ...]


class SnapshotAck(Value):
    """The client's own appointments, and for a doctor the schedule (`calendar`).

    `position` is the last `seq` of each doctor that the snapshot includes.
    """

    ok: Literal[True]
    mode: Literal["snapshot"]
    appointments: tuple[NamedAppointment, ...]
    position: dict[Id, int]
    calendar: ScheduleView | None = None


class ResumeAck(Value):
    """The events of the client's own appointments and waiting, and of a doctor's own schedule, after the position sent.

    `position` is the last `seq` of each doctor that the events include.
    """

    ok: Literal[True]
    mode: Literal["resume"]
    events: tuple[AppointmentChanged | CalendarChanged | WaitingChanged, ...]
    position: dict[Id, int]


class TokenAck(Value):
    """The new token is in use; the connection may last until `expiresAt`."""

    ok: Literal[True]
    expires_at: Instant


class EmptyAck(Value):
    """The command was carried out; there is nothing to return."""

    ok: Literal[True]


class RemovedAck(_CommandAck):
    """The time off is removed.

    `replayed: true` is added when the command had been carried out before under this `commandId`.
    """
