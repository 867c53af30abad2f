"""One appointment: its state, and how an event changes it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
    PatientReminded,
    ReminderMissed,
    TaggedEvent,
)
from hub.scheduling.values import ACTIVE, APPOINTMENT_DURATION, Id, Instant, Reason, Status, Value

REMINDER_LEAD = timedelta(hours=3)
"""How long before the start the patient is reminded."""
NO_SHOW_DELAY = timedelta(minutes=15)
"""How long after the start a still active appointment counts as missed."""

DueKind = Literal["reminder", "no_show"]


class Appointment(Value):
    """The whole of an appointment: state, next deadline and history. Folding the history gives the state.

    `due` is the instant of the next deadline and `due_kind` which one it is; both are None when there is none.
    `version` counts the events, so it fences a writer who saw an older state.
    """

    id: Id
    doctor_id: Id
    patient_id: Id
    start: Instant
    end: Instant
    status: Status
    version: int
    reason: Reason | None
    created_at: Instant
    due: Instant | None
    due_kind: DueKind | None
    history: tuple[TaggedEvent, ...]

    @property
    def active(self) -> bool:
        """Whether the appointment holds its slot."""
        return self.status in ACTIVE

    @property
    def last(self) -> Event:
        """The latest event."""
        return self.history[-1]

    def caused_by(self, command_id: str) -> Event | None:
        """Return the event that a command caused here, if it did."""
        return next((event for event in self.history if event.command_id == command_id), None)


def as_of(appointment: Appointment, event: Event) -> Appointment:
    """Return the appointment as it stood right after one of its events."""
    return fold(past for past in appointment.history if past.seq <= event.seq)


def evolve(appointment: Appointment | None, event: Event) -> Appointment:
    """Return the appointment after the event. `AppointmentBooked`, and only that, starts from None; else ValueError."""
    if isinstance(event, AppointmentBooked):
        if appointment is not None:
            raise ValueError("an appointment is booked once")
        return _booked(event)
    if appointment is None:
        raise ValueError(f"a history begins with a booking, not with {event.type!r}")
    return appointment.model_copy(
        update={
            **_changed(appointment, event),
            "version": appointment.version + 1,
            "history": (*appointment.history, event),
        },
    )


def fold(history: Iterable[Event]) -> Appointment:
    """Return the state that a history gives."""
    state: Appointment | None = None
    for event in history:
        state = evolve(state, event)
    if state is None:
        raise ValueError("an appointment has at least one event")
    return state


def _booked(event: AppointmentBooked) -> Appointment:
    due, kind = _first_deadline(event.start, event.at)
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
        due=due,
        due_kind=kind,
        history=(event,),
    )


def _changed(
    appointment: Appointment,
    event: AppointmentConfirmed
    | AppointmentCancelled
    | AppointmentCompleted
    | AppointmentMissed
    | AppointmentRescheduled
    | PatientReminded
    | ReminderMissed,
) -> dict[str, object]:
    """Return the fields, besides version and history, that an event gives new values."""
    match event:
        case AppointmentConfirmed():
            return {"status": Status.CONFIRMED}
        case AppointmentCancelled():
            return {"status": Status.CANCELLED, "due": None, "due_kind": None}
        case AppointmentCompleted():
            return {"status": Status.COMPLETED, "due": None, "due_kind": None}
        case AppointmentMissed():
            return {"status": Status.NO_SHOW, "due": None, "due_kind": None}
        case AppointmentRescheduled():
            due, kind = _first_deadline(event.start, event.at)
            return {
                "start": event.start,
                "end": event.start + APPOINTMENT_DURATION,
                "status": Status.SCHEDULED,
                "due": due,
                "due_kind": kind,
            }
        case PatientReminded() | ReminderMissed():
            return {"due": appointment.start + NO_SHOW_DELAY, "due_kind": "no_show"}


def _first_deadline(start: datetime, at: datetime) -> tuple[datetime, DueKind]:
    """Taken less than three hours ahead: no reminder, the text about the booking says it all."""
    reminder = start - REMINDER_LEAD
    return (reminder, "reminder") if at <= reminder else (start + NO_SHOW_DELAY, "no_show")
