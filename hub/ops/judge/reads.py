"""Judges what clients read over REST: never from before a position that they know, and true at its own position."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.client.appointment import unnamed
from hub.client.commands import User
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record, as_erased
from hub.scheduling.apply import as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import rfc3339
from hub.scheduling.views import AppointmentView, view


@dataclass(frozen=True)
class Read:
    """A doctor's read of the first `limit` own appointments that start at `start_from` or later, and its answer.

    `known` is the position that was sent as `If-Position`, 0 for none; `position` is that of the answer.
    """

    user: User
    at: datetime
    start_from: datetime
    limit: int
    known: int
    position: int
    appointments: tuple[AppointmentView, ...]


def current_and_true(reads: Iterable[Read], record: Record) -> Iterator[Violation]:
    """Find answers from before a known position, and answers that differ from the record as it was at their position.

    A view that has skipped an event says a position that it has not reached: the second check finds it.
    """
    for read in reads:
        if read.position < read.known:
            yield _about(read, "a read was answered from before a known position")
        shown = [as_erased(unnamed(e), record.appointments.get(e.id), read.position) for e in read.appointments]
        if tuple(shown) != _expected(read, record):
            yield _about(read, "a read was answered with other appointments than in the record")


def _expected(read: Read, record: Record) -> tuple[AppointmentView, ...]:
    then = [
        view(as_of(each, read.position))
        for each in record.appointments.values()
        if each.doctor_id == read.user.id and _is_booked(each, read.position)
    ]
    shown = sorted((each for each in then if each.start >= read.start_from), key=lambda each: (each.start, each.id))
    return tuple(shown[: read.limit])


def _is_booked(appointment: Appointment, position: int) -> bool:
    return appointment.history[0].seq <= position


def _about(read: Read, what: str) -> Violation:
    case = f"{read.user.role} {read.user.id} at {rfc3339(read.at)}: position {read.position}, known {read.known}"
    return Violation(Promise.TOLD_IN_ORDER, what, case)
