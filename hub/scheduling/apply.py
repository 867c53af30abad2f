"""How an event changes an appointment, a doctor's schedule or an entry of the waitlist."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar, overload

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import NO_SHOW_DELAY, Appointment, DueKind, first_deadline
from hub.scheduling.events import (
    AnyEvent,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    BookingEvent,
    DoctorDisabled,
    DoctorEnabled,
    Event,
    HoursChanged,
    OfferAccepted,
    OfferDeclined,
    OfferEvent,
    OfferLapsed,
    PatientCalledIn,
    PatientCheckedIn,
    PatientErased,
    PatientJoined,
    PatientReminded,
    ReminderMissed,
    ScheduleEvent,
    SlotOffered,
    TimeOffAdded,
    TimeOffRemoved,
    VisitUndone,
)
from hub.scheduling.fingerprints import fingerprint_of, without_words
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from hub.scheduling.values import APPOINTMENT_DURATION, Status, Visit
from hub.scheduling.waitlist_entry import EntryStatus, WaitlistEntry
from hub.scheduling.waitlist_events import (
    WaitlistBooked,
    WaitlistEvent,
    WaitlistExpired,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPatientJoined,
)

A = TypeVar("A", Appointment, ScheduleRecord, WaitlistEntry)

_OVER: Mapping[str, object] = {"due": None, "due_kind": None, "place": None}
"""What an appointment loses that the patient has not to come to any more."""


@overload
def apply(aggregate: Appointment | None, event: Event) -> Appointment: ...
@overload
def apply(aggregate: WaitlistEntry | None, event: WaitlistEvent) -> WaitlistEntry: ...
@overload
def apply(aggregate: ScheduleRecord, event: ScheduleEvent) -> ScheduleRecord: ...
@overload
def apply(aggregate: Aggregate | None, event: AnyEvent) -> Aggregate: ...
def apply(aggregate: Aggregate | None, event: AnyEvent) -> Aggregate:
    """Return the aggregate after the event. Raises ValueError for an event that cannot happen to it.

    `AppointmentBooked`, `SlotOffered` and `WaitlistJoined`, and no other events, start from None.
    """
    if aggregate is None:
        return _begun(event)
    if isinstance(aggregate, Appointment) and isinstance(event, BookingEvent):
        changes = _booking_changes(aggregate, event)
    elif isinstance(aggregate, Appointment) and isinstance(event, OfferEvent):
        changes = _offer_changes(aggregate, event)
    elif isinstance(aggregate, ScheduleRecord) and isinstance(event, ScheduleEvent):
        changes = {"current": _changed_schedule(aggregate.current, event)}
    elif isinstance(aggregate, WaitlistEntry) and isinstance(event, WaitlistEvent):
        changes = _entry_changes(event)
    else:
        message = f"{event.type!r} cannot happen to {aggregate.id}"
        raise ValueError(message)  # noqa: TRY004  # an event that does not belong here, like the one above
    before: Iterable[AnyEvent] = aggregate.history
    if isinstance(aggregate, Appointment) and isinstance(event, PatientErased):
        before = (_without_words(aggregate, each) for each in aggregate.history)
    changes |= {"version": aggregate.version + 1, "history": (*before, event)}
    return aggregate.model_copy(update=changes)


@overload
def apply_all(aggregate: None, events: Iterable[Event]) -> Appointment: ...
@overload
def apply_all(aggregate: A, events: Iterable[AnyEvent]) -> A: ...
def apply_all(aggregate: Aggregate | None, events: Iterable[AnyEvent]) -> Aggregate:
    """Return the aggregate after these events, in order. Raises ValueError when there is nothing to return."""
    for event in events:
        aggregate = apply(aggregate, event)
    if aggregate is None:
        raise ValueError("an appointment has at least one event")
    return aggregate


@overload
def as_of(aggregate: Appointment, seq: int) -> Appointment: ...
@overload
def as_of(aggregate: ScheduleRecord, seq: int) -> ScheduleRecord: ...
@overload
def as_of(aggregate: WaitlistEntry, seq: int) -> WaitlistEntry: ...
@overload
def as_of(aggregate: Aggregate, seq: int) -> Aggregate: ...
def as_of(aggregate: Aggregate, seq: int) -> Aggregate:
    """Return the aggregate as it was after every event up to this `seq` of its doctor's history.

    Raises ValueError for an appointment or an entry that was made later.
    """
    if not aggregate.history or aggregate.last.seq <= seq:
        return aggregate
    if isinstance(aggregate, ScheduleRecord):
        initial = unchanged_schedule(aggregate.initial)
        return apply_all(initial, (event for event in aggregate.history if event.seq <= seq))
    before: Aggregate | None = None
    for event in aggregate.history:
        if event.seq <= seq:
            before = apply(before, event)
    if before is None:
        raise ValueError("an appointment or an entry has at least one event")
    return before


def replayed(aggregate: Appointment | WaitlistEntry) -> Appointment | WaitlistEntry:
    """Return what the whole history makes of an appointment or an entry. Raises ValueError for an invalid history."""
    state: Aggregate | None = None
    for event in aggregate.history:
        state = apply(state, event)
    if state is None or isinstance(state, ScheduleRecord):
        raise ValueError("an appointment or an entry has at least one event")
    return state


def _without_words(appointment: Appointment, event: Event) -> Event:
    """Return an event of the appointment as it is in the history once its patient was erased."""
    if not isinstance(event, AppointmentBooked | AppointmentCancelled) or event.reason is None:
        return event
    # As `commands.fingerprint` makes it of the same command without a reason.
    kind = "cancel"
    content: list[object] = [appointment.id]
    if isinstance(event, AppointmentBooked):
        kind, content = "book", [event.patient_id, event.start.isoformat(), None]
    left = without_words(fingerprint_of(event.by, kind, appointment.doctor_id, content))
    return event.model_copy(update={"reason": None, "fingerprint": left})


def _begun(event: AnyEvent) -> Appointment | WaitlistEntry:
    match event:
        case AppointmentBooked():
            due, kind = first_deadline(event.start, event.at)
            return _appointment(event, Status.SCHEDULED, due, kind)
        case SlotOffered():
            return _appointment(event, Status.OFFERED, event.until, "offer")
        case WaitlistJoined():
            return WaitlistEntry(
                id=event.command_id,
                doctor_id=event.doctor_id,
                patient_id=event.patient_id,
                wish=event.wish,
                status=EntryStatus.WAITING,
                version=1,
                created_at=event.at,
                history=(event,),
            )
        case _:
            message = f"a history begins with a booking, not with {event.type!r}"
            raise ValueError(message)


def _appointment(event: AppointmentBooked | SlotOffered, status: Status, due: datetime, kind: DueKind) -> Appointment:
    return Appointment(
        id=event.command_id,
        doctor_id=event.doctor_id,
        patient_id=event.patient_id,
        start=event.start,
        end=event.start + APPOINTMENT_DURATION,
        status=status,
        version=1,
        reason=event.reason if isinstance(event, AppointmentBooked) else None,
        created_at=event.at,
        visit=None,
        arrived_at=None,
        in_room_at=None,
        completed_at=None,
        entry_id=event.entry_id if isinstance(event, SlotOffered) else None,
        due=due,
        due_kind=kind,
        history=(event,),
    )


def _booking_changes(appointment: Appointment, event: BookingEvent) -> dict[str, object]:
    """Return the new values of the fields, besides version and history, that the event changes."""
    match event:
        case AppointmentBooked():
            raise ValueError("an appointment is booked once")
        case AppointmentConfirmed():
            return {"status": Status.CONFIRMED}
        case AppointmentCancelled():
            return {"status": Status.CANCELLED, **_OVER}
        case AppointmentCompleted():
            return {"status": Status.COMPLETED, "completed_at": event.at, **_OVER}
        case AppointmentMissed():
            return {"status": Status.NO_SHOW, **_OVER}
        case AppointmentRescheduled():
            due, kind = first_deadline(event.start, event.at)
            return {
                "start": event.start,
                "end": event.start + APPOINTMENT_DURATION,
                "status": Status.SCHEDULED,
                "due": due,
                "due_kind": kind,
            }
        case PatientJoined() | PatientErased():
            return _patient_changes(event)
        case PatientReminded() | ReminderMissed():
            return {"due": appointment.start + NO_SHOW_DELAY, "due_kind": "no_show"}
        case PatientCheckedIn() | PatientCalledIn() | VisitUndone():
            return _visit_changes(appointment, event)


def _patient_changes(event: PatientJoined | PatientErased) -> dict[str, object]:
    match event:
        case PatientJoined():
            return {"patient_id": event.patient_id, "place": None}
        case PatientErased():
            return {"reason": None}


def _offer_changes(appointment: Appointment, event: OfferEvent) -> dict[str, object]:
    match event:
        case SlotOffered():
            raise ValueError("a slot is offered once as the same appointment")
        case OfferAccepted():
            due, kind = first_deadline(appointment.start, event.at)
            return {"status": Status.SCHEDULED, "due": due, "due_kind": kind}
        case OfferDeclined() | OfferLapsed():
            return {"status": Status.LAPSED, "due": None, "due_kind": None}


def _visit_changes(
    appointment: Appointment, event: PatientCheckedIn | PatientCalledIn | VisitUndone
) -> dict[str, object]:
    match event:
        case PatientCheckedIn():
            status = Status.CONFIRMED if appointment.status is Status.NO_SHOW else appointment.status
            return {"status": status, "visit": Visit.ARRIVED, "arrived_at": event.at, **_OVER}
        case PatientCalledIn():
            return {"visit": Visit.IN_ROOM, "in_room_at": event.at}
        case VisitUndone() if appointment.visit is Visit.IN_ROOM:
            return {"visit": Visit.ARRIVED, "in_room_at": None}
        case VisitUndone():
            # The no-show, not a reminder that was still due at the check-in: the patient has been here since.
            due = appointment.start + NO_SHOW_DELAY
            return {"visit": None, "arrived_at": None, "due": due, "due_kind": "no_show"}


def _entry_changes(event: WaitlistEvent) -> dict[str, object]:
    """Return the new values of the fields, besides version and history, that the event changes."""
    match event:
        case WaitlistJoined():
            raise ValueError("an entry is made once")
        case WaitlistLeft():
            return {"status": EntryStatus.LEFT}
        case WaitlistBooked():
            return {"status": EntryStatus.BOOKED}
        case WaitlistExpired():
            return {"status": EntryStatus.EXPIRED}
        case WaitlistPatientJoined():
            return {"patient_id": event.patient_id}


def _changed_schedule(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    match event:
        case HoursChanged(shifts=shifts):
            return schedule.model_copy(update={"shifts": shifts})
        case TimeOffAdded(time_off=added):
            return schedule.model_copy(update={"time_off": (*schedule.time_off, added)})
        case TimeOffRemoved(time_off_id=removed):
            left = tuple(off for off in schedule.time_off if off.id != removed)
            return schedule.model_copy(update={"time_off": left})
        case DoctorDisabled():
            return schedule.model_copy(update={"disabled": True})
        case DoctorEnabled():
            return schedule.model_copy(update={"disabled": False})
