"""The base of all values: frozen, with camelCase names in JSON, and with aware UTC instants."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

APPOINTMENT_DURATION = timedelta(minutes=30)
"""How long every appointment lasts."""
HORIZON = timedelta(days=366)
"""How far ahead an appointment may be booked."""
_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
_LATEST = datetime(3000, 1, 1, tzinfo=UTC)


def rfc3339(instant: datetime) -> str:
    """Format an aware instant as RFC 3339 in UTC with `Z`, with milliseconds only if they are not zero."""
    utc = instant.astimezone(UTC)
    # isoformat costs about half of strftime, and every message and answer holds several instants
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").removesuffix("+00:00") + "Z"


def _to_utc(instant: datetime) -> datetime:
    # Near the first and the last year of `datetime`, converting an instant to another zone raises OverflowError. It is
    # no ValueError, so it would pass validation here and stop an actor later. No clinic needs those years.
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError("a time lies in the years 1000 to 2999")
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


Instant = Annotated[
    AwareDatetime,
    AfterValidator(_to_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware datetime of the years 1000 to 2999, in UTC and whole milliseconds. A naive datetime is refused."""

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class Value(BaseModel):
    """A frozen value with camelCase names in JSON. An unknown field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


class Role(StrEnum):
    """The role of the user who gives a command. `system` is the hub itself: timers, the command line, the seed.

    A receptionist acts for every doctor of the clinic.
    """

    DOCTOR = "doctor"
    PATIENT = "patient"
    RECEPTIONIST = "receptionist"
    SYSTEM = "system"


AccountRole = Literal["doctor", "patient", "receptionist"]
"""The role of a person: each has its own log-in endpoint."""

Via = Literal["rest", "socket", "sms", "timer", "cli", "seed"]


class Actor(Value):
    """Who gave a command, and through which channel."""

    id: Id
    role: Role
    via: Via


class Status(StrEnum):
    """The status of an appointment."""

    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    OFFERED = "offered"
    """An offer to a patient of the waitlist, who has not answered yet."""
    LAPSED = "lapsed"
    """An offer that was not taken."""


ACTIVE = frozenset({Status.SCHEDULED, Status.CONFIRMED})
"""The statuses of an appointment that is going to take place."""
OFFERS = frozenset({Status.OFFERED, Status.LAPSED})
"""The statuses of an offer that has not been accepted. It is no appointment, and no figure counts it."""
HOLDING = ACTIVE | {Status.OFFERED}
"""The statuses that hold a slot and the time of the patient."""


class Visit(StrEnum):
    """How far the visit of an appointment has come. Before the patient arrives there is none."""

    ARRIVED = "arrived"
    """The patient is in the waiting room."""
    IN_ROOM = "in_room"
    """The patient has been called into the doctor's room."""
