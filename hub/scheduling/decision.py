"""What a command can come to: accepted with its events, repeated, or refused. All three are values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.commands import Command, fingerprint
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AnyEvent
from hub.scheduling.values import Actor


class RefusalCode(StrEnum):
    """Why a command did nothing. The same codes reach the client."""

    SLOT_TAKEN = "slot_taken"
    PATIENT_BUSY = "patient_busy"
    """Given by the actor, not by `decide`: only the record knows a patient's appointments with other doctors."""
    TOO_MANY_APPOINTMENTS = "too_many_appointments"
    """Given by the actor for the same reason."""
    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    IN_THE_PAST = "in_the_past"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_EARLY = "too_early"
    WRONG_STATUS = "wrong_status"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    DOCTOR_UNAVAILABLE = "doctor_unavailable"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    EXPIRED = "expired"
    ALREADY_WAITING = "already_waiting"
    OFFER_OPEN = "offer_open"


@dataclass(frozen=True)
class Accepted:
    """The command causes these events, one or more, in one appointment, one entry or the doctor's schedule."""

    aggregate_id: str
    events: tuple[AnyEvent, ...]

    def __post_init__(self) -> None:
        if not self.events:
            raise ValueError("an accepted command causes at least one event")


@dataclass(frozen=True)
class Repeated:
    """The command has been applied before. It caused `events` then; `aggregate` is how things stand now, with them."""

    aggregate: Aggregate
    events: tuple[AnyEvent, ...]


@dataclass(frozen=True)
class Refused:
    """The command does nothing, for the reason `code`; `detail` says the reason in words.

    `appointment_id`: with `SLOT_TAKEN`, the appointment that holds the slot, if it is of the same patient. The id of
    another patient's appointment is never given.
    """

    code: RefusalCode
    detail: str
    appointment_id: str | None = None


Decision = Accepted | Repeated | Refused


class Header(TypedDict):
    """The fields that every event has."""

    seq: int
    prev: int
    at: datetime
    by: Actor
    command_id: str
    fingerprint: str


def header(state: DoctorState, command: Command, now: datetime) -> Header:
    """Return the header of the next event after `state` that a command causes now.

    For a command's second event, `state` is the state after its first.
    """
    return {
        "seq": state.seq + 1,
        "prev": state.seq,
        "at": now,
        "by": command.by,
        "command_id": command.id,
        "fingerprint": fingerprint(command),
    }
