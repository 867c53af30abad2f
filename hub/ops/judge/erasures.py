"""Judges erasures: no word of an erased patient is left or shown, and nothing of the patient is to come."""

from collections.abc import Iterator
from datetime import timedelta

from hub.ops.judge.history import History, describe
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record, RecordEntry
from hub.scheduling.appointment import Appointment

_CAUSED = frozenset({"patient_erased", "cancelled", "declined", "waitlist_left"})
"""The events that an erasure causes."""
_FOUND_AFTER, _FOUND_UNTIL = timedelta(minutes=5), timedelta(hours=1)
"""The hub looks every two minutes, for two hours, for bookings that were under way at an erasure."""


def complete(history: History, record: Record) -> Iterator[Violation]:
    """Find appointments of erased patients that still have words, or that are still to come.

    A booking that was under way then may be found later, so it is judged only after a while.
    """
    for patient_id, at in history.erasures.items():
        for appointment in record.appointments.values():
            made = appointment.created_at
            was_under_way = made < at + _FOUND_UNTIL and made + _FOUND_AFTER < record.read_at
            if appointment.patient_id != patient_id or not (made < at or was_under_way):
                continue
            if not appointment.erased:
                yield _left(appointment, "an erasure has left words behind")
            if appointment.holds_slot and appointment.visit is None and appointment.start > record.read_at:
                yield _left(appointment, "an erasure has left an appointment to come")


def refused_after(history: History) -> Iterator[Violation]:
    """Find erasures without an answer, and bookings for patients who had been erased before they were asked for."""
    for patient_id in history.erasures.keys() - history.erased.keys():
        yield Violation(Promise.REFUSALS_ARE_TRUE, "an erasure was not decided", patient_id)
    for entry in history.entries:
        command, who = entry.first.command, entry.first.user
        erased_at = history.erased.get(command.patient_id or who.id)
        if command.kind != "book" or erased_at is None or entry.first.at <= erased_at:
            continue
        if any(answer.ok for answer in entry.answers):
            yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "an erased patient was booked", describe(entry.first))
    for request in history.line_requests.values():
        erased_at = history.erased.get(request.patient_id)
        if request.kind != "join" or erased_at is None or request.at <= erased_at:
            continue
        if any(answer.id for answer in request.answers):
            case = f"{request.patient_id}, key {request.key}"
            yield Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, "an erased patient joined a line", case)


def caused_by_erasure(recorded: RecordEntry, history: History) -> bool:
    """Whether the event is one that the erasure of its patient causes, and the patient has asked for it."""
    event = recorded.event
    return event.by.id in history.erasures and event.type in _CAUSED and event.at >= history.erasures[event.by.id]


def _left(appointment: Appointment, what: str) -> Violation:
    case = f"{appointment.id} of {appointment.patient_id}"
    return Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, what, case)
