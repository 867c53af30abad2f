"""What somebody wants: imperative, told apart by `kind`, each addressed to one doctor's actor."""

from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from hub.scheduling.schedule import Note, Shift, after_start
from hub.scheduling.values import Actor, Id, Instant, Reason, Value


class _Command(Value):
    """`id` makes it repeatable, `at` is when it was first sent, after `expires` it is no longer carried out."""

    id: Id
    doctor_id: Id
    by: Actor
    at: Instant
    expires: Instant | None = None


class BookAppointment(_Command):
    """Take the slot at `start` for the patient. The appointment's id is the command's id."""

    kind: Literal["book"] = "book"
    patient_id: Id
    start: Instant
    reason: Reason | None = None


class ConfirmAppointment(_Command):
    """The patient will come."""

    kind: Literal["confirm"] = "confirm"
    appointment_id: Id


class CancelAppointment(_Command):
    """The appointment will not take place; its slot is free again."""

    kind: Literal["cancel"] = "cancel"
    appointment_id: Id


class CompleteAppointment(_Command):
    """The patient was there."""

    kind: Literal["complete"] = "complete"
    appointment_id: Id


class RescheduleAppointment(_Command):
    """Move the same appointment to `start`: the old slot is freed and the new one taken, or nothing happens."""

    kind: Literal["reschedule"] = "reschedule"
    appointment_id: Id
    start: Instant


class RemindPatient(_Command):
    """The reminder of the appointment that starts at `start` is due."""

    kind: Literal["remind"] = "remind"
    appointment_id: Id
    start: Instant


class MarkNoShow(_Command):
    """The appointment began 15 minutes ago and nobody said that it took place."""

    kind: Literal["mark_no_show"] = "mark_no_show"
    appointment_id: Id
    start: Instant


Change = (
    ConfirmAppointment | CancelAppointment | CompleteAppointment | RescheduleAppointment | RemindPatient | MarkNoShow
)
"""A command about an appointment that exists."""


class ChangeHours(_Command):
    """The doctor works in these weekly shifts from now on, by the clock of the doctor's zone."""

    kind: Literal["change_hours"] = "change_hours"
    shifts: tuple[Shift, ...]


class AddTimeOff(_Command):
    """The doctor is away from `start` until `end`. The time off has the id of the command."""

    kind: Literal["add_time_off"] = "add_time_off"
    start: Instant
    end: Annotated[Instant, AfterValidator(after_start)]
    note: Note | None = None


class RemoveTimeOff(_Command):
    """The doctor is not away then after all."""

    kind: Literal["remove_time_off"] = "remove_time_off"
    time_off_id: Id


class DisableDoctor(_Command):
    """The doctor takes no new appointments."""

    kind: Literal["disable"] = "disable"


class EnableDoctor(_Command):
    """The doctor takes appointments again."""

    kind: Literal["enable"] = "enable"


ScheduleChange = ChangeHours | AddTimeOff | RemoveTimeOff | DisableDoctor | EnableDoctor
"""A command about the doctor's timetable."""

Command = BookAppointment | Change | ScheduleChange
CommandAdapter: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def fingerprint(command: Command) -> str:
    """Return 16 hex digits that differ when the same command id comes back asking for something else.

    Covers what is asked (kind, doctor, appointment, patient, start, shifts, …) and who asks, not when and through which
    channel: who repeats a command gets its answer, and nobody gets the answer to the command of another.
    """
    asked: list[object] = [command.by.role.value, command.by.id, command.kind, command.doctor_id]
    match command:
        case BookAppointment():
            asked += [command.patient_id, _text(command.start), command.reason]
        case RescheduleAppointment() | RemindPatient() | MarkNoShow():
            asked += [command.appointment_id, _text(command.start)]
        case ConfirmAppointment() | CancelAppointment() | CompleteAppointment():
            asked += [command.appointment_id]
        case ChangeHours():
            asked += [(shift.weekday, shift.opens, shift.closes) for shift in command.shifts]
        case AddTimeOff():
            asked += [_text(command.start), _text(command.end), command.note]
        case RemoveTimeOff():
            asked += [command.time_off_id]
        case DisableDoctor() | EnableDoctor():
            pass
    return blake2b(repr(asked).encode(), digest_size=8).hexdigest()


def _text(instant: datetime) -> str:
    return instant.isoformat()
