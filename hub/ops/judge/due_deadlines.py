"""Judges deadlines: every reminder and every no-show that came due is in the record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Occupancy, Record
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, DueKind
from hub.scheduling.events import AppointmentMissed, Event, PatientReminded
from hub.scheduling.values import rfc3339


@dataclass(frozen=True)
class DueDeadline:
    """A deadline that came due while its appointment was active. `event` is the event that met it, None if missed."""

    occupancy: Occupancy
    kind: DueKind
    due: datetime
    event: Event | None


def due_deadlines(record: Record, late: timedelta) -> list[DueDeadline]:
    """Return the deadlines that had to be met, and those that were met.

    A deadline has to be met if its appointment stayed active for longer than `late` after it. If the appointment ended
    earlier, the hub may have had no time to act.
    """
    return [
        each
        for occupancy in record.occupancies
        for each in _deadlines_of(occupancy, record.read_at)
        if each.event or _outlasted(each, record, late)
    ]


def missed(record: Record, late: timedelta) -> Iterator[Violation]:
    """Find deadlines that were not met: a reminder that was never sent, or an absence that did not become a no-show."""
    for each in due_deadlines(record, late):
        if each.event is None:
            what = (
                "a due reminder was never sent"
                if each.kind == "reminder"
                else "a missed appointment was not marked as no-show"
            )
            case = f"{each.occupancy.appointment.id}, due at {rfc3339(each.due)}"
            yield Violation(Promise.REMINDED_ONCE, what, case)


def _deadlines_of(occupancy: Occupancy, read_at: datetime) -> Iterator[DueDeadline]:
    reminder, no_show = occupancy.start - REMINDER_LEAD, occupancy.start + NO_SHOW_DELAY
    if occupancy.taken.at <= reminder < read_at:  # booked later than that, the confirmation text is the reminder
        yield DueDeadline(occupancy, "reminder", reminder, _reminder(occupancy))
    if no_show < read_at:
        event = occupancy.freed if isinstance(occupancy.freed, AppointmentMissed) else None
        yield DueDeadline(occupancy, "no_show", no_show, event)


def _reminder(occupancy: Occupancy) -> Event | None:
    until = occupancy.freed.seq if occupancy.freed else None
    return next(
        (
            event
            for event in occupancy.appointment.history
            if isinstance(event, PatientReminded)
            and event.seq > occupancy.taken.seq
            and (until is None or event.seq < until)
        ),
        None,
    )


def _outlasted(each: DueDeadline, record: Record, late: timedelta) -> bool:
    ended = each.occupancy.freed.at if each.occupancy.freed else record.read_at
    return ended - each.due > late
