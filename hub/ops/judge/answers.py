"""Judges the answers against the record: every acknowledged change is there, once, and no other change is."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from hub.client.answers import Answer
from hub.client.appointment import unnamed
from hub.client.commands import Kind, Request
from hub.ops.judge.erasures import caused_by_erasure
from hub.ops.judge.history import Entry, Exchange, History, describe
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import AppointmentEntry, Record, RecordEntry, as_erased
from hub.scheduling.apply import as_of
from hub.scheduling.decision import RefusalCode
from hub.scheduling.events import AppointmentBooked, AppointmentRescheduled, PatientJoined, SlotOffered
from hub.scheduling.views import AppointmentView, view

_EVENT_OF: dict[Kind, str] = {
    "book": "booked",
    "confirm": "confirmed",
    "cancel": "cancelled",
    "complete": "completed",
    "reschedule": "rescheduled",
    "check_in": "checked_in",
    "call_in": "called_in",
    "undo_visit": "visit_undone",
    "accept": "accepted",
    "decline": "declined",
}

REASONS = frozenset(
    {code.value for code in RefusalCode}
    | {"invalid_request", "unauthenticated", "invalid_token", "token_expired", "forbidden", "not_found"}
    | {"patient_erased"}
)
"""The codes that tell a client why its command had no effect."""


def acknowledged(history: History, record: Record) -> Iterator[Violation]:
    """Find acknowledged changes that are not in the record, or that differ there."""
    for exchange in history.exchanges():
        if exchange.answer and exchange.answer.ok:
            for why in _contradictions(exchange.request, exchange.answer, record):
                yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "an acknowledged change is not in the record", why)


def applied_once(history: History, record: Record) -> Iterator[Violation]:
    """Find commands decided twice, commands acknowledged for two appointments, and refused commands with an event."""
    for command_id, recorded in record.by_command.items():
        if not _is_one_decision(recorded):
            places = ", ".join(f"{each.where} seq {each.event.seq}" for each in recorded)
            yield Violation(Promise.APPLIED_ONCE, "a command was applied twice", f"{command_id}: {places}")
    for entry in history.entries:
        shown = {answer.appointment.id for answer in entry.answers if answer.appointment}
        if len(shown) > 1:
            case = f"{describe(entry.first)}: {', '.join(sorted(shown))}"
            yield Violation(Promise.APPLIED_ONCE, "a command was acknowledged for two appointments", case)
        for refused in _refused_though_applied(entry, record, history):
            case = f"{describe(entry.first)}: {refused.code}"
            yield Violation(Promise.APPLIED_ONCE, "a refused command was applied", case)


def requested(history: History, record: Record) -> Iterator[Violation]:
    """Find changes of appointments by a user of the history without a request in the history.

    A client that uses the hub as one of these users, but is not part of the history, causes such violations too.
    Changes of a doctor's hours are ignored: the history does not record them.
    """
    since = history.first_request_times()
    for recorded in record.by_doctor.values():
        for each in recorded:
            by = each.event.by
            by_client = by.via in {"rest", "socket"} and by.id in since and each.event.at >= since[by.id]
            if by_client and isinstance(each, AppointmentEntry) and not _was_requested(each, history):
                case = f"{each.event.type} {each.appointment.id}, seq {each.event.seq}, command {each.event.command_id}"
                yield Violation(Promise.APPLIED_ONCE, "the record has a change that no client requested", case)


def decided(history: History) -> Iterator[Violation]:
    """Find commands that were not decided, and refusals without a known reason code."""
    for exchange in history.exchanges():
        answer = exchange.answer
        if answer is None and exchange.abandoned:
            continue
        if answer is None or not answer.decided:
            outcome = "no answer" if answer is None else f"{answer.code} after {answer.attempts} attempts"
            case = f"{describe(exchange.request)}: {outcome}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a command was not decided", case)
        elif not answer.ok and answer.code not in REASONS:
            case = f"{describe(exchange.request)}: {answer.code}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a refusal has no known reason code", case)


def _contradictions(request: Request, answer: Answer, record: Record) -> Iterator[str]:
    """Return how the record contradicts an acknowledgement.

    An acknowledgement shows the appointment right after the command, also when it answers a repetition: what happened
    to the appointment later is no matter.
    """
    recorded = _of_appointments(record, request.command_id)
    shown = answer.appointment
    if not recorded or shown is None:
        yield f"{describe(request)}: no event of this command"
        return
    appointment, event = recorded[0].appointment, recorded[0].event
    if appointment.id != shown.id or event.type != _EVENT_OF[request.command.kind]:
        yield f"{describe(request)}: the record has {event.type} {appointment.id}, but {shown.id} was acknowledged"
        return
    was = as_erased(unnamed(shown), appointment, recorded[-1].event.seq)
    if (then := _right_after(recorded[-1])) is not None and then != was:
        wrong = [name for name, value in was if getattr(then, name) != value]
        differ = ", ".join(f"{name} {getattr(then, name)} instead of {getattr(shown, name)}" for name in wrong)
        yield f"{describe(request)}: the record has {differ} for {shown.id} right after the command"


def _right_after(recorded: AppointmentEntry) -> AppointmentView | None:
    """Return the appointment right after the event; None if its history cannot be applied, as is reported elsewhere."""
    try:
        return view(as_of(recorded.appointment, recorded.event.seq))
    except ValueError:
        return None


def _refused_though_applied(entry: Entry, record: Record, history: History) -> list[Answer]:
    """Return the refusals of a request that is in the record. An event of another request with the same key is none.

    A repetition for a patient who has been erased since is refused, whatever became of the command before.
    """
    recorded = _of_appointments(record, entry.first.command_id)
    return [
        exchange.answer
        for exchange in entry.exchanges
        if exchange.answer
        and not exchange.answer.ok
        and exchange.answer.decided
        and exchange.answer.code != "patient_erased"
        and any(_fits(exchange, each, history) for each in recorded)
    ]


def _is_one_decision(recorded: Sequence[RecordEntry]) -> bool:
    """Whether these events of a command can be of one decision: in one place, with successive `seq`, at one instant."""
    return all(
        (later.where, later.event.seq, later.event.at) == (earlier.where, earlier.event.seq + 1, earlier.event.at)
        for earlier, later in pairwise(recorded)
    )


def _of_appointments(record: Record, command_id: str) -> list[AppointmentEntry]:
    return [each for each in record.by_command.get(command_id, ()) if isinstance(each, AppointmentEntry)]


def _was_requested(recorded: AppointmentEntry, history: History) -> bool:
    event = recorded.event
    if caused_by_erasure(recorded, history):
        return True
    if isinstance(event, SlotOffered):
        return True  # `line_requests` looks for it
    if isinstance(event, PatientJoined):
        return (event.by.id, event.previous_patient_id, event.patient_id) in history.joins
    entry = history.by_command(event.command_id)
    return entry is not None and any(_fits(exchange, recorded, history) for exchange in entry.exchanges)


def _fits(exchange: Exchange, recorded: AppointmentEntry, history: History) -> bool:
    """Whether the event is what this request asked for, by the user that the id of the command implies.

    A booking for a patient who was joined is made for the other account.
    """
    command, appointment, event = exchange.request.command, recorded.appointment, recorded.event
    if event.type != _EVENT_OF[command.kind]:
        return False
    match event:
        case AppointmentBooked():
            patients = history.joined(command.patient_id or exchange.request.user.id)
            expected = command.doctor_id, command.start
            return event.patient_id in patients and expected == (appointment.doctor_id, event.start)
        case AppointmentRescheduled():
            return (command.appointment_id, command.start) == (appointment.id, event.start)
        case _:
            return command.appointment_id == appointment.id
