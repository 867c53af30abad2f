"""What every value of the clinic is made of: frozen, strict, camelCase outside, aware UTC instants."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

LENGTH = timedelta(minutes=30)
"""How long every appointment lasts."""


def rfc3339(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with `Z`; milliseconds only where there are any."""
    utc = instant.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + (f".{utc.microsecond // 1000:03d}Z" if utc.microsecond else "Z")


def _to_utc(instant: datetime) -> datetime:
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


Instant = Annotated[
    AwareDatetime,
    AfterValidator(_to_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""An aware datetime, UTC inside, whole milliseconds; a naive one is an error where it enters."""

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class Value(BaseModel):
    """A frozen value with camelCase names outside; an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


class Role(StrEnum):
    """Who acts. `system` is the hub itself: deadlines and the seed."""

    DOCTOR = "doctor"
    PATIENT = "patient"
    SYSTEM = "system"


Via = Literal["rest", "socket", "sms", "timer", "cli", "seed"]


class Actor(Value):
    """Who gave a command, and through which channel."""

    id: Id
    role: Role
    via: Via


class Status(StrEnum):
    """Where an appointment stands."""

    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    NO_SHOW = "no_show"


ACTIVE = frozenset({Status.SCHEDULED, Status.CONFIRMED})
"""The statuses that hold a slot."""
