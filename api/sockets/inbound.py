"""The arguments of the socket commands: one JSON object each, read as strictly as a REST body."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import orjson
from pydantic import Field, ValidationError

from api.commands.appointments import BookRequest, CancelRequest, Moment
from api.commands.days import Day
from api.commands.hours import HoursRequest, TimeOffRequest
from api.commands.waitlist import OfferRequest, WaitRequest
from api.http.problems import Problem, invalid
from hub.scheduling.values import Id, Value

CommandId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]+$")]
"""The `Idempotency-Key` of REST: a command that is sent again with the same id is carried out once.

Over REST and sockets it is the same key: a command that was sent over one may be repeated over the other.
"""

Positions = Annotated[dict[Id, Annotated[int, Field(ge=0)]], Field(max_length=1000)]
"""A `seq` of each doctor, by the doctor's id."""

A = TypeVar("A", bound=Value)


class Book(BookRequest):
    """The slot to book."""

    command_id: CommandId | None = None


class Change(Value):
    """The appointment to change, with nothing more to say about it."""

    appointment_id: Id
    command_id: CommandId | None = None


class Cancel(CancelRequest):
    """The appointment to cancel, and why."""

    appointment_id: Id
    command_id: CommandId | None = None


class Reschedule(Change):
    """The appointment to move, and its new start."""

    start: Moment


class JoinWaitlist(WaitRequest):
    """For which doctor to wait, and when one could come."""

    command_id: CommandId | None = None


class LeaveWaitlist(Value):
    """The entry of the waitlist to end."""

    entry_id: Id
    command_id: CommandId | None = None


class OfferSlot(OfferRequest):
    """The entry of the waitlist, and the free slot to offer."""

    entry_id: Id
    command_id: CommandId | None = None


class Waitlist(Value):
    """The doctor whose line to list; without it, all that the client may see."""

    doctor_id: Id | None = None


class ChangeHours(HoursRequest):
    """The doctor's new weekly hours."""

    command_id: CommandId | None = None


class AddTimeOff(TimeOffRequest):
    """The time off to add."""

    command_id: CommandId | None = None


class RemoveTimeOff(Value):
    """The time off to remove."""

    time_off_id: Id
    command_id: CommandId | None = None


class Unwatch(Value):
    """A calendar day of a doctor, in the doctor's time zone."""

    doctor_id: Id
    date: Day


class Watch(Unwatch):
    """A calendar day of a doctor, in the doctor's time zone. The answer is never from before `since`.

    `since` maps a doctor's id to the highest `seq` that the client has seen in any answer or event. Other doctors in it
    do not matter.
    """

    since: Positions | None = None

    def known(self, doctor_id: str) -> int:
        """Return the last event of the doctor that the client knows, 0 for none."""
        return (self.since or {}).get(doctor_id, 0)


class Board(Value):
    """A day of the doctors `doctorId`, of all doctors if none is named. The answer is never from before `since`.

    `since` maps a doctor's id to the highest `seq` that the client has seen in any answer or event.
    """

    date: Day
    doctor_id: Annotated[
        tuple[Id, ...],
        Field(
            max_length=1000,
            description="The doctors to show, all if none is named.",
            examples=[["019aac1e-6a00-7e10-8a3d-0c5b9f4d2e11"]],
        ),
    ] = ()
    since: Positions | None = None


class LeaveBoard(Value):
    """The day of the board."""

    date: Day


class Sync(Value):
    """The position to resume from: `since` maps a doctor's id to the last `seq` that the client has applied."""

    since: Positions | None = None


class Authenticate(Value):
    """A new access token of the same person."""

    token: Annotated[str, Field(min_length=1, max_length=4096)]


def read(model: type[A], args: Sequence[object]) -> A:
    """Return the one argument of an event as the model; no argument means an empty object. Raises `Problem`."""
    if len(args) > 1:
        raise Problem("invalid_request", "Send one object.")
    try:
        encoded = orjson.dumps(args[0] if args else {})
    except orjson.JSONEncodeError:
        raise Problem("invalid_request", "The argument is nested too deeply, or holds what is no text.") from None
    try:
        # Validate the JSON, not the parsed value: only in JSON does strict mode accept texts as times.
        return model.model_validate_json(encoded, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, "argument") from None
