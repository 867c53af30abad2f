"""What a client hears over a socket, as models: for the document, and for the tests that hold the code to it.

The code itself sends plain mappings: they are made for every event and every ack, and a model checks what it is given.
"""

from typing import Literal, get_args

from api.http.problems import Code
from hub.scheduling.events import Event, ScheduleEvent
from hub.scheduling.schedule import TimeOff
from hub.scheduling.slots import Slot
from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import AppointmentView, ScheduleView

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
    }
)
CODES: tuple[Code, ...] = tuple(code for code in get_args(Code) if code not in _HTTP_ONLY)
"""The words for what goes wrong over a socket."""
HAPPENED: tuple[str, ...] = tuple(each.model_fields["type"].default for each in get_args(Event))
"""The types of what happens to an appointment."""
REARRANGED: tuple[str, ...] = tuple(each.model_fields["type"].default for each in get_args(ScheduleEvent))
"""The types of what happens to a doctor's hours."""


class AppointmentChanged(Value):
    """One of one's own appointments is new or another. `seq` and `prev` count the events of its doctor."""

    type: str
    appointment: AppointmentView
    seq: int
    prev: int


class CalendarChanged(Value):
    """A doctor's own hours, time off or availability are others. `seq` and `prev` count with the appointments' events.

    For the doctor alone.
    """

    type: str
    calendar: ScheduleView
    seq: int
    prev: int


class SlotChanged(Value):
    """A slot of a day that one watches is taken or free: never by whom. A slot that the doctor's hours leave is taken.

    One that nobody spoke of before is a new one: the doctor has other hours.
    """

    doctor_id: Id
    start: Instant
    available: bool


class TokenExpiring(Value):
    """The access token ends soon: send a new one with `authenticate`, or be disconnected then."""

    expires_at: Instant


class Closing(Value):
    """The last event before the server ends the connection, and why."""

    code: str
    detail: str


class WrongField(Value):
    """What is wrong with one field of the argument."""

    pointer: str
    detail: str
    code: str


class Error(Value):
    """Why nothing was done: `code` is for programs, `detail` for people; `errors` only with `invalid_request`.

    `retryAfter` comes with `too_many_requests`: so many seconds after which the same may be sent again.
    """

    code: str
    detail: str
    errors: tuple[WrongField, ...] = ()
    retry_after: int = 1


class Refused(Value):
    """The ack of a command that did nothing."""

    ok: Literal[False]
    error: Error


class WithAppointment(Value):
    """The change is in the record: the appointment as it is now."""

    ok: Literal[True]
    appointment: AppointmentView


class WithCalendar(Value):
    """The change is in the record: the hours as they are now. The appointments `outside` of them stay."""

    ok: Literal[True]
    calendar: ScheduleView
    outside: tuple[AppointmentView, ...]


class WithTimeOff(Value):
    """The time off is in the record. The appointments to come that lie `outside` of the hours now stay."""

    ok: Literal[True]
    time_off: TimeOff
    outside: tuple[AppointmentView, ...]


class WithSlots(Value):
    """The day as it is; every later change comes as `slot`."""

    ok: Literal[True]
    slots: tuple[Slot, ...]


class WithSnapshot(Value):
    """One's own appointments, and up to which `seq` of each doctor that is; a doctor's own hours as of there, too."""

    ok: Literal[True]
    mode: Literal["snapshot"]
    appointments: tuple[AppointmentView, ...]
    position: dict[Id, int]
    calendar: ScheduleView | None = None


class WithEvents(Value):
    """The events of one's own appointments, and of a doctor's own hours, since the position that was sent.

    `position` is up to which `seq` that is.
    """

    ok: Literal[True]
    mode: Literal["resume"]
    events: tuple[AppointmentChanged | CalendarChanged, ...]
    position: dict[Id, int]


class WithExpiry(Value):
    """Until when the new token lets the connection live."""

    ok: Literal[True]
    expires_at: Instant


class Nothing(Value):
    """Done; there is nothing to say."""

    ok: Literal[True]
