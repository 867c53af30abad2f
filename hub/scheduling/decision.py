"""What a command can come to: an event, what it caused before, or a refusal. Refusals are values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command, fingerprint
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import Event, ScheduleEvent
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import Actor


class RefusalCode(StrEnum):
    """Why a command did nothing. The same words reach the client."""

    SLOT_TAKEN = "slot_taken"
    PATIENT_BUSY = "patient_busy"
    """Given by the actor, not by `decide`: only the record knows a patient's appointments with other doctors."""
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


@dataclass(frozen=True)
class Accepted:
    """The command causes this event of this appointment."""

    appointment_id: str
    event: Event


@dataclass(frozen=True)
class Arranged:
    """The command causes this event of the doctor's timetable."""

    event: ScheduleEvent


@dataclass(frozen=True)
class Repeated:
    """The command has been applied before; `event` is what it caused then, `appointment` how things stand now."""

    appointment: Appointment
    event: Event


@dataclass(frozen=True)
class RepeatedArrangement:
    """The same of a command that changed the timetable."""

    schedule_record: ScheduleRecord
    event: ScheduleEvent


@dataclass(frozen=True)
class Refused:
    """The command does nothing, for the reason that `code` names; `detail` says it to a person."""

    code: RefusalCode
    detail: str


Decision = Accepted | Arranged | Repeated | RepeatedArrangement | Refused


class Header(TypedDict):
    """What every event has, whatever it says."""

    seq: int
    prev: int
    at: datetime
    by: Actor
    command_id: str
    fingerprint: str


def header(calendar: DoctorState, command: Command, now: datetime) -> Header:
    """Return the header of the event that a command causes now."""
    return {
        "seq": calendar.seq + 1,
        "prev": calendar.seq,
        "at": now,
        "by": command.by,
        "command_id": command.id,
        "fingerprint": fingerprint(command),
    }
