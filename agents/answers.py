"""What a decision publishes once it is in the record: a reply to the requester, and notices to all api processes."""

from dataclasses import dataclass

from hub.bus.messages import Notice, Reply, notice_of
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command
from hub.scheduling.decision import Decision, Refused, Repeated
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.views import AppointmentView, EntryView, entry_view, view
from hub.scheduling.waitlist_entry import WaitlistEntry


@dataclass(frozen=True)
class Answer:
    """The reply to a command, and a notice of each event that it caused, in order; a refused command has no notice."""

    reply: Reply
    notices: tuple[Notice, ...] = ()


def refusal(command: Command, refused: Refused) -> Answer:
    """Return the answer to a command that is refused."""
    return Answer(Reply(command_id=command.id, at=command.at, result=refused))


def answer(command: Command, decision: Decision, state: DoctorState | None = None) -> Answer:
    """Return the reply and the notices of a decision. `state` is the doctor's state after it, None for a refusal."""
    if isinstance(decision, Refused):
        return refusal(command, decision)
    if state is None:
        raise RuntimeError(f"a decision without the state of its doctor: {decision!r}")
    aggregate = decision.aggregate if isinstance(decision, Repeated) else state.aggregate(decision.aggregate_id)
    if aggregate is None:
        raise RuntimeError(f"a decision whose events are not in the doctor's state: {decision!r}")
    # A repeated command is answered with what it did then. Its appointment may have been moved or cancelled since, and
    # an answer with the present state would acknowledge something that the command did not do.
    result = _result(as_of(aggregate, decision.events[-1].seq))
    # The api sends a command again when a reply is late; that copy is no repetition by the client. It was asked for as
    # early as the first copy, so before the event. The clocks of the machines have to agree, as for `expires`.
    replayed = isinstance(decision, Repeated) and decision.events[0].at <= command.asked
    notices = tuple(
        notice_of(RecordedEvent(event, as_of(aggregate, event.seq)), state.schedule_record, state.slot_owners)
        for event in decision.events
    )
    reply = Reply(command_id=command.id, at=command.at, replayed=replayed, result=result, notices=notices)
    return Answer(reply, notices)


def _result(aggregate: Aggregate) -> AppointmentView | Schedule | EntryView:
    match aggregate:
        case Appointment():
            return view(aggregate)
        case ScheduleRecord():
            return aggregate.current
        case WaitlistEntry():
            return entry_view(aggregate)
