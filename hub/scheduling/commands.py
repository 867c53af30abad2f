"""The commands, told apart by `kind`. Each is addressed to the actor of one doctor."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from hub.scheduling.command_fields import CommandFields
from hub.scheduling.fingerprints import fingerprint_of, without_words
from hub.scheduling.schedule import Note, WeeklyHours, after_start
from hub.scheduling.values import Id, Instant, Reason
from hub.scheduling.waitlist_commands import (
    AcceptOffer,
    DeclineOffer,
    LapseOffer,
    OfferChange,
    WaitlistCommand,
    waitlist_content,
)


class BookAppointment(CommandFields):
    """Book the slot at `start` for the patient. The appointment gets the id of the command."""

    kind: Literal["book"] = "book"
    patient_id: Id
    start: Instant
    reason: Reason | None = None


class ConfirmAppointment(CommandFields):
    """Confirm that the patient will come."""

    kind: Literal["confirm"] = "confirm"
    appointment_id: Id


class CancelAppointment(CommandFields):
    """Cancel the appointment, which frees its slot. The `reason` is for the history."""

    kind: Literal["cancel"] = "cancel"
    appointment_id: Id
    reason: Reason | None = None


class CompleteAppointment(CommandFields):
    """Record that the patient was there."""

    kind: Literal["complete"] = "complete"
    appointment_id: Id


class CheckInPatient(CommandFields):
    """Record that the patient has arrived."""

    kind: Literal["check_in"] = "check_in"
    appointment_id: Id


class CallInPatient(CommandFields):
    """Record that the patient, who has arrived, was called into the room."""

    kind: Literal["call_in"] = "call_in"
    appointment_id: Id


class UndoVisit(CommandFields):
    """Undo the last step of the visit: the call into the room, else the arrival."""

    kind: Literal["undo_visit"] = "undo_visit"
    appointment_id: Id


VisitChange = CheckInPatient | CallInPatient | UndoVisit
"""A command about the visit: what happens from the patient's arrival on."""


class RescheduleAppointment(CommandFields):
    """Move the appointment to `start`: free the old slot and take the new one, or change nothing."""

    kind: Literal["reschedule"] = "reschedule"
    appointment_id: Id
    start: Instant


class JoinPatient(CommandFields):
    """Give the appointment of `previous_patient_id` to the account with which this person was joined."""

    kind: Literal["join_patient"] = "join_patient"
    appointment_id: Id
    previous_patient_id: Id
    patient_id: Id


class ErasePatient(CommandFields):
    """Remove what was said about the appointment from it and from its history, because its patient was erased."""

    kind: Literal["erase_patient"] = "erase_patient"
    appointment_id: Id
    patient_id: Id


class RemindPatient(CommandFields):
    """Remind the patient of the appointment, provided that it still starts at `start`."""

    kind: Literal["remind"] = "remind"
    appointment_id: Id
    start: Instant


class MarkNoShow(CommandFields):
    """Mark the appointment as a no-show, provided that it still starts at `start` and was not completed."""

    kind: Literal["mark_no_show"] = "mark_no_show"
    appointment_id: Id
    start: Instant


AppointmentChange = (
    ConfirmAppointment
    | CancelAppointment
    | CompleteAppointment
    | RescheduleAppointment
    | JoinPatient
    | ErasePatient
    | RemindPatient
    | MarkNoShow
    | VisitChange
)
"""A command that changes an appointment which was booked, or an offer that was accepted."""
Change = AppointmentChange | OfferChange
"""A command that changes an existing appointment or offer."""


class ChangeHours(CommandFields):
    """Replace the doctor's weekly shifts, which are in the doctor's zone."""

    kind: Literal["change_hours"] = "change_hours"
    shifts: WeeklyHours


class AddTimeOff(CommandFields):
    """Add time off from `start` until `end`. It gets the id of the command."""

    kind: Literal["add_time_off"] = "add_time_off"
    start: Instant
    end: Annotated[Instant, AfterValidator(after_start)]
    note: Note | None = None


class RemoveTimeOff(CommandFields):
    """Remove time off."""

    kind: Literal["remove_time_off"] = "remove_time_off"
    time_off_id: Id


class DisableDoctor(CommandFields):
    """Let the doctor take no new appointments."""

    kind: Literal["disable"] = "disable"


class EnableDoctor(CommandFields):
    """Let the doctor take appointments again."""

    kind: Literal["enable"] = "enable"


ScheduleChange = ChangeHours | AddTimeOff | RemoveTimeOff | DisableDoctor | EnableDoctor
"""A command that changes the doctor's schedule."""


Command = BookAppointment | Change | ScheduleChange | WaitlistCommand
CommandAdapter: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def fingerprint(command: Command) -> str:
    """Return 16 hex digits of the command's content, which show when its id is used again for something else.

    The content is what is asked (kind, doctor, appointment, patient, start, shifts, …) and who asks, but not the time
    and the channel. So a repeated command gets the same answer, and nobody gets the answer to another user's command.
    """
    content = waitlist_content(command) if isinstance(command, WaitlistCommand) else _content(command)
    return fingerprint_of(command.by, command.kind, command.doctor_id, content)


def erased_fingerprint(command: BookAppointment | CancelAppointment) -> str:
    """Return what stands for the fingerprint once the command's words were erased."""
    return without_words(fingerprint(command.model_copy(update={"reason": None})))


def _content(command: BookAppointment | Change | ScheduleChange) -> list[object]:
    content: list[object] = []
    match command:
        case BookAppointment():
            content += [command.patient_id, _iso(command.start), command.reason]
        case RescheduleAppointment() | RemindPatient() | MarkNoShow() | LapseOffer():
            content += [command.appointment_id, _iso(command.start)]
        case CancelAppointment(reason=str(reason)):
            content += [command.appointment_id, reason]
        case JoinPatient() | ErasePatient():
            previous = [command.previous_patient_id] if isinstance(command, JoinPatient) else []
            content += [command.appointment_id, *previous, command.patient_id]
        case (
            ConfirmAppointment()
            | CancelAppointment()
            | CompleteAppointment()
            | CheckInPatient()
            | CallInPatient()
            | UndoVisit()
            | AcceptOffer()
            | DeclineOffer()
        ):
            content += [command.appointment_id]
        case ChangeHours():
            content += [(shift.weekday, shift.opens, shift.closes) for shift in command.shifts]
        case AddTimeOff():
            content += [_iso(command.start), _iso(command.end), command.note]
        case RemoveTimeOff():
            content += [command.time_off_id]
        case DisableDoctor() | EnableDoctor():
            pass
    return content


def _iso(instant: datetime) -> str:
    return instant.isoformat()
