"""What clients ask over a socket: one JSON object each, read as strictly as a body over REST."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import orjson
from pydantic import Field, ValidationError

from api.commands.appointments import BookRequest, Moment
from api.commands.hours import HoursRequest, TimeOffRequest
from api.http.problems import Problem, invalid
from api.resources.doctors import Day
from hub.scheduling.values import Id, Value

CommandId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]+$")]
"""With it, the same command may be sent again and is carried out once. The `Idempotency-Key` of REST."""

A = TypeVar("A", bound=Value)


class Book(BookRequest):
    """Take a slot."""

    command_id: CommandId | None = None


class Change(Value):
    """Confirm, cancel or complete."""

    appointment_id: Id
    command_id: CommandId | None = None


class Reschedule(Change):
    """Move an appointment to `start`."""

    start: Moment


class ChangeHours(HoursRequest):
    """Replace one's own weekly hours."""

    command_id: CommandId | None = None


class AddTimeOff(TimeOffRequest):
    """Enter time off."""

    command_id: CommandId | None = None


class RemoveTimeOff(Value):
    """Take time off back."""

    time_off_id: Id
    command_id: CommandId | None = None


class Watch(Value):
    """The doctor's calendar day to watch, or not to watch any more."""

    doctor_id: Id
    date: Day


class Sync(Value):
    """`since` maps a doctor's id to the last `seq` that the client has applied."""

    since: Annotated[dict[Id, Annotated[int, Field(ge=0)]], Field(max_length=1000)] | None = None


class Authenticate(Value):
    """A new access token of the same person."""

    token: Annotated[str, Field(min_length=1, max_length=4096)]


def read(model: type[A], args: Sequence[object]) -> A:
    """Return the one argument of an event as the model; none is the same as an empty object. Raises `Problem`."""
    if len(args) > 1:
        raise Problem("invalid_request", "Send one object.")
    try:
        written = orjson.dumps(args[0] if args else {})
    except orjson.JSONEncodeError:
        raise Problem("invalid_request", "The argument is nested too deeply, or holds what is no text.") from None
    try:
        # From JSON, not from what was parsed of it: only there may strict texts be times.
        return model.model_validate_json(written, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, "argument") from None
