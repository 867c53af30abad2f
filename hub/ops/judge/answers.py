"""Judges the answers against the record: what was acknowledged is there, once, and nothing else is."""

from collections.abc import Iterator

from hub.client.answers import Answer
from hub.client.asking import Ask, Kind
from hub.ops.judge.history import Entry, History, Told, named
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Entered, Record
from hub.scheduling.decision import RefusalCode
from hub.scheduling.events import AppointmentBooked, AppointmentRescheduled

_EVENT_OF: dict[Kind, str] = {
    "book": "booked",
    "confirm": "confirmed",
    "cancel": "cancelled",
    "complete": "completed",
    "reschedule": "rescheduled",
}

REASONS = frozenset(
    {code.value for code in RefusalCode}
    | {"invalid_request", "unauthenticated", "invalid_token", "token_expired", "forbidden", "not_found"}
)
"""The codes that tell a client why its command did nothing."""


def acknowledged(history: History, record: Record) -> Iterator[Violation]:
    """Find changes that were acknowledged and are not in the record, or are others there."""
    for told in history.tellings():
        if told.answer and told.answer.ok:
            for why in _contradictions(told.ask, told.answer, record):
                yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "an acknowledged change is not in the record", why)


def applied_once(history: History, record: Record) -> Iterator[Violation]:
    """Find commands that left two events, were acknowledged for two appointments, or were refused and yet applied."""
    for command_id, entered in record.by_command.items():
        if len(entered) > 1:
            places = ", ".join(f"{each.where} seq {each.event.seq}" for each in entered)
            yield Violation(Promise.APPLIED_ONCE, "a command was applied twice", f"{command_id}: {places}")
    for entry in history.entries:
        shown = {answer.appointment.id for answer in entry.answers if answer.appointment}
        if len(shown) > 1:
            case = f"{named(entry.first)}: {', '.join(sorted(shown))}"
            yield Violation(Promise.APPLIED_ONCE, "one command was acknowledged for two appointments", case)
        for refused in _refused_though_applied(entry, record):
            case = f"{named(entry.first)}: {refused.code}"
            yield Violation(Promise.APPLIED_ONCE, "a command was refused and yet applied", case)


def asked_for(history: History, record: Record) -> Iterator[Violation]:
    """Find changes of appointments by one of these clients that the client did not ask for.

    Who acts on the hub beside the history, under one of its names, looks like this too. Changes of a doctor's hours are
    not among the commands that a history is the witness of.
    """
    since = history.since()
    for entered in record.by_doctor.values():
        for each in entered:
            by = each.event.by
            ours = by.via in {"rest", "socket"} and by.id in since and each.event.at >= since[by.id]
            if ours and isinstance(each, Entered) and not _was_asked(each, history):
                case = f"{each.event.type} {each.appointment.id}, seq {each.event.seq}, command {each.event.command_id}"
                yield Violation(Promise.APPLIED_ONCE, "nobody asked for a change in the record", case)


def decided(history: History) -> Iterator[Violation]:
    """Find commands that were left without a decision, or refused for no reason that one can tell."""
    for told in history.tellings():
        answer = told.answer
        if answer is None and told.hung_up:
            continue
        if answer is None or not answer.decided:
            said = "no answer" if answer is None else f"{answer.code} after {answer.attempts} attempts"
            case = f"{named(told.ask)}: {said}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a command was left unanswered", case)
        elif not answer.ok and answer.code not in REASONS:
            case = f"{named(told.ask)}: {answer.code}"
            yield Violation(Promise.REFUSALS_ARE_TRUE, "a refusal names no reason", case)


def _contradictions(ask: Ask, answer: Answer, record: Record) -> Iterator[str]:
    """Say in what the record contradicts an acknowledgement."""
    entered = _of_appointments(record, ask.command_id)
    shown = answer.appointment
    if not entered or shown is None:
        yield f"{named(ask)}: no event of this command"
        return
    appointment, event = entered[0].appointment, entered[0].event
    if appointment.id != shown.id or event.type != _EVENT_OF[ask.wish.kind]:
        yield f"{named(ask)}: the record has {event.type} {appointment.id}, acknowledged was {shown.id}"
    elif appointment.version < shown.version:
        yield f"{named(ask)}: the record has version {appointment.version}, acknowledged was {shown.version}"
    elif (appointment.doctor_id, appointment.patient_id) != (shown.doctor_id, shown.patient_id):
        yield f"{named(ask)}: the record has other people for {shown.id}"


def _refused_though_applied(entry: Entry, record: Record) -> list[Answer]:
    """Return the refusals of what is in the record; that the key stands there for something else is none of them."""
    entered = _of_appointments(record, entry.first.command_id)
    return [
        told.answer
        for told in entry.tellings
        if told.answer and not told.answer.ok and told.answer.decided and any(_fits(told, each) for each in entered)
    ]


def _of_appointments(record: Record, command_id: str) -> list[Entered]:
    return [each for each in record.by_command.get(command_id, ()) if isinstance(each, Entered)]


def _was_asked(entered: Entered, history: History) -> bool:
    entry = history.by_command(entered.event.command_id)
    return entry is not None and any(_fits(told, entered) for told in entry.tellings)


def _fits(told: Told, entered: Entered) -> bool:
    """Whether this asking asks for this event; the command's id says already who asked."""
    wish, appointment, event = told.ask.wish, entered.appointment, entered.event
    if event.type != _EVENT_OF[wish.kind]:
        return False
    match event:
        case AppointmentBooked():
            wanted = wish.doctor_id, wish.patient_id or told.ask.who.id, wish.start
            return wanted == (appointment.doctor_id, appointment.patient_id, event.start)
        case AppointmentRescheduled():
            return (wish.appointment_id, wish.start) == (appointment.id, event.start)
        case _:
            return wish.appointment_id == appointment.id
