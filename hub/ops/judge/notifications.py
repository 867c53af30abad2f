"""Judges the updates that clients received against the record: all that concern them, in order, once, and correct."""

from collections.abc import Iterator
from datetime import timedelta

from hub.client.appointment import unnamed
from hub.client.wire import CalendarEvent, DoctorEvent, WaitingEvent
from hub.ops.judge.dashboard import Dashboard, Period
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import LineEntry, Record, RecordEntry, ScheduleEntry, as_erased, patient_at
from hub.scheduling.apply import as_of
from hub.scheduling.values import rfc3339
from hub.scheduling.views import EntryView, entry_view, schedule_view, view


def in_order(dashboard: Dashboard) -> Iterator[Violation]:
    """Find events that came twice, or after a later event of the same doctor."""
    last: dict[str, int] = {}
    had: set[tuple[str, int]] = set()
    for received in dashboard.received:
        doctor_id, seq = received.event.doctor_id, received.event.seq
        if (doctor_id, seq) in had:
            yield _about(dashboard, "an event was sent twice", doctor_id, seq)
        elif seq < last.get(doctor_id, 0):
            yield _about(dashboard, "an event was sent after a later one", doctor_id, seq)
        had.add((doctor_id, seq))
        last[doctor_id] = max(seq, last.get(doctor_id, 0))


def accurate(dashboard: Dashboard, record: Record) -> Iterator[Violation]:
    """Find events that are not in the record, differ from the record, or do not concern this client."""
    for received in dashboard.received:
        event = received.event
        doctor_id = event.doctor_id
        recorded = record.by_seq.get((doctor_id, event.seq))
        if recorded is None:
            yield _about(dashboard, "an event was sent that is not in the record", doctor_id, event.seq)
        elif not _concerns(dashboard, recorded):
            yield _about(dashboard, "an event was sent to a client that may not see it", doctor_id, event.seq)
        elif not _same(received.event, recorded):
            yield _about(dashboard, "an event was sent with other content than in the record", doctor_id, event.seq)


def complete(dashboard: Dashboard, record: Record, clocks: timedelta) -> Iterator[Violation]:
    """Find events of the record that did not arrive on a connection that was open when they happened.

    On a connection that is still open, all events up to the reading of the record must have arrived. On one that ended,
    the events before the last one that arrived are required; later ones may have been in transit when it ended.
    """
    for period in dashboard.periods:
        had = {(received.event.doctor_id, received.event.seq) for received in period.received}
        for doctor_id, recorded in record.by_doctor.items():
            first, last = _received_range(period, doctor_id)
            for each in recorded:
                seq = each.event.seq
                required = _concerns(dashboard, each) and (
                    first <= seq <= last or (period.until is None and each.event.at > period.since + clocks)
                )
                if required and (doctor_id, seq) not in had and seq > period.position.get(doctor_id, 0):
                    yield _about(dashboard, "an event was not sent", doctor_id, seq)


def watched_slots(dashboard: Dashboard, record: Record) -> Iterator[Violation]:
    """Find watched slots that are shown as free but are taken, or the reverse. Slots that have begun are ignored."""
    if not dashboard.is_connected:
        return
    for (doctor_id, start), available in dashboard.slots.items():
        doctor = record.doctors.get(doctor_id)
        if doctor is None or start <= record.read_at:
            continue
        taken = any(
            occupancy.start == start and occupancy.freed is None
            for occupancy in record.occupancies_by_doctor.get(doctor_id, ())
        )
        is_free = not taken and not doctor.disabled and doctor.works_at(start)
        if available != is_free:
            shown = "free" if available else "taken"
            case = f"{_owner(dashboard)}: doctor {doctor_id} at {rfc3339(start)} is shown as {shown}"
            yield Violation(Promise.TOLD_IN_ORDER, "a watched slot is shown wrongly", case)


def _concerns(dashboard: Dashboard, recorded: RecordEntry) -> bool:
    """Whether the owner is entitled to the event.

    A receptionist gets the events of all appointments and of the whole waitlist. Changes of hours are for the doctor
    only, and a missed reminder is not for the patient.
    """
    if isinstance(recorded, ScheduleEntry):
        return recorded.schedule_record.doctor_id == dashboard.owner.id
    if isinstance(recorded, LineEntry):
        entry = as_of(recorded.entry, recorded.event.seq)
        return dashboard.owner.role == "receptionist" or dashboard.owner.id in {entry.doctor_id, entry.patient_id}
    if dashboard.owner.role == "doctor":
        return recorded.appointment.doctor_id == dashboard.owner.id
    if dashboard.owner.role == "receptionist":
        return True
    patient_id = patient_at(recorded.appointment, recorded.event.seq)
    return patient_id == dashboard.owner.id and recorded.event.type != "reminder_missed"


def _same(received: DoctorEvent, recorded: RecordEntry) -> bool:
    event = recorded.event
    if isinstance(recorded, ScheduleEntry) or isinstance(received, CalendarEvent):
        return _same_calendar(received, recorded)
    if isinstance(recorded, LineEntry) or isinstance(received, WaitingEvent):
        return _same_entry(received, recorded)
    try:
        then = view(as_of(recorded.appointment, recorded.event.seq))
    except ValueError:  # the history is invalid; `consistency.states` reports it
        return True
    shown = as_erased(unnamed(received.appointment), recorded.appointment, event.seq)
    return (received.type, received.prev, shown) == (event.type, event.prev, then)


def _same_entry(received: DoctorEvent, recorded: RecordEntry) -> bool:
    if not isinstance(recorded, LineEntry) or not isinstance(received, WaitingEvent):
        return False
    event, then = recorded.event, entry_view(as_of(recorded.entry, recorded.event.seq))
    shown = EntryView(**{name: value for name, value in received.entry if name in EntryView.model_fields})
    return (received.type, received.prev, shown) == (event.type, event.prev, then)


def _same_calendar(received: DoctorEvent, recorded: RecordEntry) -> bool:
    if not isinstance(recorded, ScheduleEntry) or not isinstance(received, CalendarEvent):
        return False
    event = recorded.event
    then = schedule_view(as_of(recorded.schedule_record, event.seq).current)
    return (received.type, received.prev, received.calendar) == (event.type, event.prev, then)


def _received_range(period: Period, doctor_id: str) -> tuple[int, int]:
    """Return the first and the last `seq` of a doctor that arrived on a connection; (1, 0) when none did."""
    seqs = [received.event.seq for received in period.received if received.event.doctor_id == doctor_id]
    return (min(seqs), max(seqs)) if seqs else (1, 0)


def _about(dashboard: Dashboard, what: str, doctor_id: str, seq: int) -> Violation:
    return Violation(Promise.TOLD_IN_ORDER, what, f"{_owner(dashboard)}: doctor {doctor_id}, seq {seq}")


def _owner(dashboard: Dashboard) -> str:
    return f"{dashboard.owner.role} {dashboard.owner.id}"
