"""What follows from a decision that has become true."""

from dataclasses import dataclass

from hub.bus.messages import Declined, Done, Notice, Reply, TimetableDone, notice_of, schedule_notice_of
from hub.scheduling.appointment import as_of
from hub.scheduling.commands import Command
from hub.scheduling.decision import Accepted, Arranged, Decision, Refused, Repeated, RepeatedArrangement
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.views import view


@dataclass(frozen=True)
class Answer:
    """What follows from a command: a reply to whoever asked, and a notice to everybody if it is in the record."""

    reply: Reply
    notice: Notice | None


def answer(command: Command, decision: Decision, calendar: DoctorState | None = None) -> Answer:
    """Return what is told of a decision; `calendar` is the doctor's right after it, which only a refusal can lack."""
    if isinstance(decision, Refused):
        declined = Declined(command_id=command.id, at=command.at, code=decision.code, detail=decision.detail)
        return Answer(declined, None)
    if calendar is None:
        raise RuntimeError(f"a decision for a doctor whom nobody has read: {decision!r}")
    match decision:
        case Accepted(appointment_id, event):
            after = calendar.appointments[appointment_id]
            return Answer(
                Done(command_id=command.id, appointment=view(after)), notice_of(calendar.doctor, event, after)
            )
        case Repeated(appointment, event):
            doctor = calendar.schedule_record.as_of(event.seq)
            return Answer(
                Done(command_id=command.id, appointment=view(appointment)),
                notice_of(doctor, event, as_of(appointment, event)),
            )
        case Arranged(arranged):
            return Answer(
                TimetableDone(command_id=command.id, doctor=calendar.doctor),
                schedule_notice_of(calendar.schedule_record, arranged, calendar.slot_owners),
            )
        case RepeatedArrangement(schedule_record, arranged):
            return Answer(
                TimetableDone(command_id=command.id, doctor=schedule_record.doctor),
                schedule_notice_of(schedule_record, arranged, calendar.slot_owners),
            )
