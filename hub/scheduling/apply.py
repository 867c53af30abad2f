"""How an event changes an appointment or a doctor's schedule."""

from collections.abc import Iterable, Mapping
from typing import TypeVar, overload

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import NO_SHOW_DELAY, Appointment, first_deadline
from hub.scheduling.events import (
    AnyEvent,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    DoctorDisabled,
    DoctorEnabled,
    Event,
    HoursChanged,
    PatientCalledIn,
    PatientCheckedIn,
    PatientJoined,
    PatientReminded,
    ReminderMissed,
    ScheduleEvent,
    TimeOffAdded,
    TimeOffRemoved,
    VisitUndone,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from hub.scheduling.values import APPOINTMENT_DURATION, Status, Visit

A = TypeVar("A", Appointment, ScheduleRecord)

_OVER: Mapping[str, object] = {"due": None, "due_kind": None, "place": None}
"""What an appointment loses that the patient has not to come to any more."""


@overload
def apply(aggregate: Appointment | None, event: Event) -> Appointment: ...
@overload
def apply(aggregate: ScheduleRecord, event: ScheduleEvent) -> ScheduleRecord: ...
@overload
def apply(aggregate: Aggregate | None, event: AnyEvent) -> Aggregate: ...
def apply(aggregate: Aggregate | None, event: AnyEvent) -> Aggregate:
    """Return the aggregate after the event. Raises ValueError for an event that cannot happen to it.

    `AppointmentBooked`, and no other event, starts from None.
    """
    if aggregate is None:
        if not isinstance(event, AppointmentBooked):
            message = f"a history begins with a booking, not with {event.type!r}"
            raise ValueError(message)
        return _booked(event)
    if isinstance(aggregate, Appointment) and isinstance(event, Event):
        changes = _appointment_changes(aggregate, event)
    elif isinstance(aggregate, ScheduleRecord) and isinstance(event, ScheduleEvent):
        changes = {"current": _changed_schedule(aggregate.current, event)}
    else:
        message = f"{event.type!r} cannot happen to {aggregate.id}"
        raise ValueError(message)  # noqa: TRY004  # an event that does not belong here, like the one above
    changes |= {"version": aggregate.version + 1, "history": (*aggregate.history, event)}
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
def as_of(aggregate: Aggregate, seq: int) -> Aggregate: ...
def as_of(aggregate: Aggregate, seq: int) -> Aggregate:
    """Return the aggregate as it was after every event up to this `seq` of its doctor's history.

    Raises ValueError for an appointment that was booked later.
    """
    if not aggregate.history or aggregate.last.seq <= seq:
        return aggregate
    if isinstance(aggregate, Appointment):
        return apply_all(None, (event for event in aggregate.history if event.seq <= seq))
    initial = unchanged_schedule(aggregate.initial)
    return apply_all(initial, (event for event in aggregate.history if event.seq <= seq))


def _booked(event: AppointmentBooked) -> Appointment:
    due, kind = first_deadline(event.start, event.at)
    return Appointment(
        id=event.command_id,
        doctor_id=event.doctor_id,
        patient_id=event.patient_id,
        start=event.start,
        end=event.start + APPOINTMENT_DURATION,
        status=Status.SCHEDULED,
        version=1,
        reason=event.reason,
        created_at=event.at,
        visit=None,
        arrived_at=None,
        in_room_at=None,
        completed_at=None,
        due=due,
        due_kind=kind,
        history=(event,),
    )


def _appointment_changes(appointment: Appointment, event: Event) -> dict[str, object]:
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
        case PatientJoined():
            return {"patient_id": event.patient_id, "place": None}
        case PatientReminded() | ReminderMissed():
            return {"due": appointment.start + NO_SHOW_DELAY, "due_kind": "no_show"}
        case PatientCheckedIn() | PatientCalledIn() | VisitUndone():
            return _visit_changes(appointment, event)


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
