"""Judges what the clock owed: every reminder and every no-show that came due is in the record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Hold, Record
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, DueKind
from hub.scheduling.events import AppointmentMissed, Event, PatientReminded
from hub.scheduling.values import rfc3339


@dataclass(frozen=True)
class Owed:
    """A deadline that came due while its appointment still stood. `event` is what met it; None: nothing did."""

    hold: Hold
    kind: DueKind
    due: datetime
    event: Event | None


def owed(record: Record, late: timedelta) -> list[Owed]:
    """Return the deadlines that were owed: those whose appointment stood for longer than `late` after they were due.

    What ended sooner may have ended before anybody could act. One that was met sooner is owed, too.
    """
    return [
        each for hold in record.holds for each in _of(hold, record.read_at) if each.event or _stood(each, record, late)
    ]


def unmet(record: Record, late: timedelta) -> Iterator[Violation]:
    """Find deadlines that came due and were not met: a patient nobody reminded, or who never became a no-show."""
    for each in owed(record, late):
        if each.event is None:
            what = "a due reminder was never sent" if each.kind == "reminder" else "a missed appointment is no no-show"
            case = f"{each.hold.appointment.id}, due at {rfc3339(each.due)}"
            yield Violation(Promise.REMINDED_ONCE, what, case)


def _of(hold: Hold, read_at: datetime) -> Iterator[Owed]:
    reminder, no_show = hold.start - REMINDER_LEAD, hold.start + NO_SHOW_DELAY
    if hold.taken.at <= reminder < read_at:  # taken later than that, the text about the booking says it all
        yield Owed(hold, "reminder", reminder, _reminded(hold))
    if no_show < read_at:
        yield Owed(hold, "no_show", no_show, hold.freed if isinstance(hold.freed, AppointmentMissed) else None)


def _reminded(hold: Hold) -> Event | None:
    until = hold.freed.seq if hold.freed else None
    return next(
        (
            event
            for event in hold.appointment.history
            if isinstance(event, PatientReminded)
            and event.seq > hold.taken.seq
            and (until is None or event.seq < until)
        ),
        None,
    )


def _stood(each: Owed, record: Record, late: timedelta) -> bool:
    ended = each.hold.freed.at if each.hold.freed else record.read_at
    return ended - each.due > late
