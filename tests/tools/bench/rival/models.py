"""Requests and answers, with the field names of the hub."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


class Status(StrEnum):
    """The status of an appointment."""

    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


ACTIVE = (Status.SCHEDULED, Status.CONFIRMED)
"""The statuses that hold a slot."""


def rfc3339(instant: datetime) -> str:
    """Format a UTC instant with `Z`, with milliseconds only if they are not zero."""
    return instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds").replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime, AfterValidator(lambda instant: instant.astimezone(UTC)), PlainSerializer(rfc3339, return_type=str)
]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Model(BaseModel):
    """The base of all: camelCase names in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class LogIn(Model):
    """An e-mail address and a password."""

    email: Email
    password: str


class Refresh(Model):
    """A refresh token."""

    refresh_token: str


class User(Model):
    """An account as its owner sees it."""

    id: Id
    role: Literal["doctor", "patient"]
    name: str
    email: str
    phone: str | None


class SignedIn(Model):
    """The tokens of a log-in."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    user: User


class Shift(Model):
    """Working time on a weekday (0 is Monday), in minutes after midnight in the doctor's zone."""

    weekday: int
    opens: int
    closes: int


class Doctor(Model):
    """A doctor as everybody sees them."""

    id: Id
    name: str
    zone: str
    shifts: tuple[Shift, ...]


class Slot(Model):
    """A half hour of a doctor."""

    start: Instant
    end: Instant
    available: bool


class SlotChange(Model):
    """A slot of a watched day became free or taken."""

    doctor_id: Id
    start: Instant
    available: bool


class Appointment(Model):
    """An appointment as its patient and its doctor see it."""

    id: Id
    doctor_id: Id
    patient_id: Id
    start: Instant
    end: Instant
    status: Status
    version: int
    reason: str | None
    created_at: Instant


class BookRequest(Model):
    """The slot to book."""

    doctor_id: Id
    start: Instant
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class Start(Model):
    """The new start of an appointment."""

    start: Instant


class Filter(Model):
    """The appointments to list, from `from`, included, to `to`, excluded."""

    status: list[Status] = Field(default=[], max_length=5)
    begin: Instant | None = Field(default=None, alias="from")
    end: Instant | None = Field(default=None, alias="to")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ChangeRequest(Model):
    """The appointment to change, over a socket."""

    appointment_id: Id


class RescheduleRequest(ChangeRequest, Start):
    """The appointment to move, over a socket."""


class WatchRequest(Model):
    """A calendar day of a doctor, in the doctor's zone."""

    doctor_id: Id
    date: date
