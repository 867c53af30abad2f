"""Judges what clients were told against the record: everything that concerns them, in order, once, and true."""

from collections.abc import Iterator
from datetime import timedelta

from hub.client.wire import AppointmentEvent, CalendarEvent, Told
from hub.ops.judge.dashboard import Dashboard, Seen, Span
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Entered, Rearranged, Record
from hub.scheduling.appointment import as_of
from hub.scheduling.values import rfc3339
from hub.scheduling.views import schedule_view, view


def in_order(dashboard: Dashboard) -> Iterator[Violation]:
    """Find events that came twice, or after a later one of the same doctor."""
    last: dict[str, int] = {}
    had: set[tuple[str, int]] = set()
    for seen in dashboard.seen:
        doctor_id, seq = seen.event.doctor_id, seen.event.seq
        if (doctor_id, seq) in had:
            yield _about(dashboard, "an event was told twice", doctor_id, seq)
        elif seq < last.get(doctor_id, 0):
            yield _about(dashboard, "an event was told after a later one", doctor_id, seq)
        had.add((doctor_id, seq))
        last[doctor_id] = max(seq, last.get(doctor_id, 0))


def true(dashboard: Dashboard, record: Record) -> Iterator[Violation]:
    """Find events that were told and are not in the record, or not so, or do not concern this client."""
    for seen in dashboard.seen:
        event = seen.event
        doctor_id = event.doctor_id
        told = record.by_seq.get((doctor_id, event.seq))
        if told is None:
            yield _about(dashboard, "an event was told that is not in the record", doctor_id, event.seq)
        elif not _concerns(dashboard, told):
            yield _about(dashboard, "an event was told to somebody whom it does not concern", doctor_id, event.seq)
        elif not _same(seen, told):
            yield _about(dashboard, "an event was told otherwise than it is in the record", doctor_id, event.seq)


def complete(dashboard: Dashboard, record: Record, clocks: timedelta) -> Iterator[Violation]:
    """Find events of the record that were not told on a connection that stood when they happened.

    A connection that still stands owes everything up to the record as it was read; one that ended owes what comes
    before the last event told on it, for what happened after that may have been under way when it was cut.
    """
    for span in dashboard.spans:
        had = {(seen.event.doctor_id, seen.event.seq) for seen in span.seen}
        for doctor_id, entered in record.by_doctor.items():
            first, last = _told_range(span, doctor_id)
            for each in entered:
                seq = each.event.seq
                owed = _concerns(dashboard, each) and (
                    first <= seq <= last or (span.until is None and each.event.at > span.since + clocks)
                )
                if owed and (doctor_id, seq) not in had and seq > span.position.get(doctor_id, 0):
                    yield _about(dashboard, "an event was not told", doctor_id, seq)


def slots(dashboard: Dashboard, record: Record) -> Iterator[Violation]:
    """Find watched slots that are shown as free and are taken, or the other way round; none that have begun."""
    if not dashboard.open:
        return
    for (doctor_id, start), available in dashboard.slots.items():
        doctor = record.doctors.get(doctor_id)
        if doctor is None or start <= record.read_at:
            continue
        taken = any(hold.start == start and hold.freed is None for hold in record.holds_of_doctor.get(doctor_id, ()))
        truly = not taken and not doctor.disabled and doctor.works_at(start)
        if available != truly:
            said = "free" if available else "taken"
            case = f"{_named(dashboard)}: doctor {doctor_id} at {rfc3339(start)} is shown as {said}"
            yield Violation(Promise.TOLD_IN_ORDER, "a watched slot is not shown as it is", case)


def _concerns(dashboard: Dashboard, entered: Entered | Rearranged) -> bool:
    """Whether the owner is entitled to the event.

    That a reminder was missed is told to the doctor only, and so are the doctor's own hours.
    """
    if isinstance(entered, Rearranged):
        return entered.schedule_record.doctor_id == dashboard.owner.id
    if dashboard.owner.role == "doctor":
        return entered.appointment.doctor_id == dashboard.owner.id
    return entered.appointment.patient_id == dashboard.owner.id and entered.event.type != "reminder_missed"


def _same(seen: Seen, entered: Entered | Rearranged) -> bool:
    told, event = seen.event, entered.event
    if isinstance(entered, Rearranged) or isinstance(told, CalendarEvent):
        return _same_calendar(told, entered)
    try:
        then = view(as_of(entered.appointment, entered.event))
    except ValueError:  # a history that gives no state; `consistency.states` says so
        return True
    return (told.type, told.prev, told.appointment) == (event.type, event.prev, then)


def _same_calendar(told: Told, entered: Entered | Rearranged) -> bool:
    if isinstance(entered, Entered) or isinstance(told, AppointmentEvent):
        return False
    event = entered.event
    then = schedule_view(entered.schedule_record.as_of(event.seq))
    return (told.type, told.prev, told.calendar) == (event.type, event.prev, then)


def _told_range(span: Span, doctor_id: str) -> tuple[int, int]:
    """Return the first and the last `seq` of a doctor that was told on a connection; nothing lies between 1 and 0."""
    told = [seen.event.seq for seen in span.seen if seen.event.doctor_id == doctor_id]
    return (min(told), max(told)) if told else (1, 0)


def _about(dashboard: Dashboard, what: str, doctor_id: str, seq: int) -> Violation:
    return Violation(Promise.TOLD_IN_ORDER, what, f"{_named(dashboard)}: doctor {doctor_id}, seq {seq}")


def _named(dashboard: Dashboard) -> str:
    return f"{dashboard.owner.role} {dashboard.owner.id}"
