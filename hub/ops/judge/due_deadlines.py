"""Judges deadlines: every reminder and every no-show that came due is in the record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Occupancy, Record
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, DueKind
from hub.scheduling.events import (
    AppointmentMissed,
    Event,
    PatientCalledIn,
    PatientCheckedIn,
    PatientReminded,
    VisitUndone,
)
from hub.scheduling.values import rfc3339


@dataclass(frozen=True)
class DueDeadline:
    """A deadline that came due while its appointment was active and its patient was not there, which ended at `until`.

    `event` is the event that met the deadline, None if it was missed.
    """

    occupancy: Occupancy
    kind: DueKind
    due: datetime
    until: datetime
    event: Event | None


def due_deadlines(record: Record, late: timedelta) -> list[DueDeadline]:
    """Return the deadlines that had to be met, and those that were met.

    A deadline has to be met if its appointment stayed active for longer than `late` after it. If the appointment ended
    earlier, the hub may have had no time to act. An appointment has no deadlines while its patient is there; when the
    patient has left again, the no-show is due, at once if its time is past.
    """
    return [
        each
        for occupancy in record.occupancies
        for each in _deadlines_of(occupancy, record.read_at)
        if each.event or each.until - each.due > late
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
    begun = occupancy.active_since
    if begun is None:
        return
    absences = _absences(occupancy, begun, read_at)
    if begun <= reminder < read_at and absences:
        # Booked later than that, the confirmation text is the reminder. After an arrival there is none any more.
        yield DueDeadline(occupancy, "reminder", reminder, absences[0][1], _reminder(occupancy))
    missed = occupancy.freed if isinstance(occupancy.freed, AppointmentMissed) else None
    for since, until in absences:
        due = max(no_show, since)
        if due < read_at:
            yield DueDeadline(occupancy, "no_show", due, until, missed if missed and missed.at == until else None)


def _absences(occupancy: Occupancy, begun: datetime, read_at: datetime) -> list[tuple[datetime, datetime]]:
    """Return the times in which the slot was held and the patient was not there, in order."""
    freed, history = occupancy.freed, occupancy.appointment.history
    # The patient may be there already when the slot changes hands: two people were joined.
    steps = sum(_step(event) for event in history if event.seq < occupancy.taken.seq)
    since: datetime | None = None if steps else begun
    found = []
    for event in history:
        if event.seq < occupancy.taken.seq or (freed and event.seq >= freed.seq):
            continue
        match event:
            case PatientCheckedIn() | PatientCalledIn():
                steps += 1
                if since is not None:
                    found.append((since, event.at))
                    since = None
            case VisitUndone():
                steps -= 1
                since = None if steps else event.at
            case _:
                pass
    return [*found, (since, freed.at if freed else read_at)] if since is not None else found


def _step(event: Event) -> int:
    match event:
        case PatientCheckedIn() | PatientCalledIn():
            return 1
        case VisitUndone():
            return -1
        case _:
            return 0


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
