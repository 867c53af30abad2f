"""Judges erasures: no word of an erased patient is left or shown, and nothing of the patient is to come."""

from collections.abc import Iterator

from hub.ops.judge.history import History
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record, RecordEntry
from hub.scheduling.appointment import Appointment

_CAUSED = frozenset({"patient_erased", "cancelled", "declined", "waitlist_left"})
"""The events that an erasure causes."""


def complete(history: History, record: Record) -> Iterator[Violation]:
    """Find appointments of erased patients that still have words, or that are still to come.

    A booking that was under way then may be found later, so it is not judged here.
    """
    for patient_id, at in history.erasures.items():
        for appointment in record.appointments.values():
            if appointment.patient_id != patient_id or appointment.created_at >= at:
                continue
            if not appointment.erased:
                yield _left(appointment, "an erasure has left words behind")
            if appointment.holds_slot and appointment.visit is None and appointment.start > record.read_at:
                yield _left(appointment, "an erasure has left an appointment to come")


def caused_by_erasure(recorded: RecordEntry, history: History) -> bool:
    """Whether the event is one that the erasure of its patient causes, and the patient has asked for it."""
    event = recorded.event
    return event.by.id in history.erasures and event.type in _CAUSED and event.at >= history.erasures[event.by.id]


def _left(appointment: Appointment, what: str) -> Violation:
    case = f"{appointment.id} of {appointment.patient_id}"
    return Violation(Promise.ACKNOWLEDGED_IS_WRITTEN, what, case)
