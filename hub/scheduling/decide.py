"""The decision: what a command does to a doctor's calendar, or why it does nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict, assert_never

from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, Appointment
from hub.scheduling.calendar import Calendar
from hub.scheduling.commands import (
    BookAppointment,
    CancelAppointment,
    Change,
    Command,
    CompleteAppointment,
    ConfirmAppointment,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
    fingerprint,
)
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
)
from hub.scheduling.values import HORIZON, LENGTH, Actor, Role, Status

REMINDER_USEFUL = timedelta(minutes=30)
"""A reminder that is late is still sent when the start is at least this far away."""


class RefusalCode(StrEnum):
    """Why a command did nothing. The same words reach the client."""

    SLOT_TAKEN = "slot_taken"
    PATIENT_BUSY = "patient_busy"
    """Given by the actor, not by `decide`: only the record knows a patient's appointments with other doctors."""
    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    IN_THE_PAST = "in_the_past"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_EARLY = "too_early"
    WRONG_STATUS = "wrong_status"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    DOCTOR_UNAVAILABLE = "doctor_unavailable"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Accepted:
    """The command causes this event of this appointment."""

    appointment_id: str
    event: Event


@dataclass(frozen=True)
class Repeated:
    """The command has been applied before; `event` is what it caused then, `appointment` how things stand now."""

    appointment: Appointment
    event: Event


@dataclass(frozen=True)
class Refused:
    """The command does nothing, for the reason that `code` names; `detail` says it to a person."""

    code: RefusalCode
    detail: str


Decision = Accepted | Repeated | Refused


class _Header(TypedDict):
    seq: int
    prev: int
    at: datetime
    by: Actor
    command_id: str
    fingerprint: str


def decide(calendar: Calendar, command: Command, now: datetime) -> Decision:
    """Decide a command against the calendar of the doctor whom it names, at the instant `now` (UTC).

    Knows the commands applied to the appointment that this one names. One that was applied to another appointment is
    found by the record's fence on command ids; its answer is then `repeated`.
    """
    appointment = calendar.appointments.get(_appointment_id(command))
    if appointment and (event := appointment.caused_by(command.id)):
        return repeated(command, appointment, event)
    if command.expires is not None and now > command.expires:
        return Refused(RefusalCode.EXPIRED, "The command waited too long to be carried out; send it again.")
    if isinstance(command, BookAppointment):
        return _book(calendar, command, now)
    if appointment is None or not _party_to(command.by, appointment):
        return Refused(RefusalCode.NOT_FOUND, "There is no such appointment.")
    if not _may_change(command):
        return Refused(RefusalCode.FORBIDDEN, f"A {command.by.role.value} may not do this to an appointment.")
    return _change(calendar, command, appointment, now)


def repeated(command: Command, appointment: Appointment, event: Event) -> Repeated | Refused:
    """Answer a command whose id has caused `event` already: the same command again, or another one under its id."""
    if event.fingerprint != fingerprint(command):
        return Refused(
            RefusalCode.IDEMPOTENCY_KEY_REUSED,
            "This key has been used for a different command; use a new one.",
        )
    return Repeated(appointment, event)


def _book(calendar: Calendar, command: BookAppointment, now: datetime) -> Decision:
    if not _may_book(command):
        return Refused(RefusalCode.FORBIDDEN, "Patients book for themselves, doctors in their own calendar.")
    if refusal := _refuse_start(calendar, command.start, now):
        return refusal
    return Accepted(
        command.id,
        AppointmentBooked(
            **_header(calendar, command, now),
            doctor_id=command.doctor_id,
            patient_id=command.patient_id,
            start=command.start,
            reason=command.reason,
        ),
    )


def _change(calendar: Calendar, command: Change, appointment: Appointment, now: datetime) -> Decision:
    if refusal := _refuse_change(calendar, command, appointment, now):
        return refusal
    return Accepted(appointment.id, _caused(calendar, command, appointment, now))


def _refuse_change(calendar: Calendar, command: Change, appointment: Appointment, now: datetime) -> Refused | None:
    """Return why the change is not possible now, if so."""
    match command:
        case ConfirmAppointment():
            return _unless(appointment, Status.SCHEDULED)
        case CancelAppointment():
            return _unless(appointment, Status.SCHEDULED, Status.CONFIRMED) or _unless_future(appointment, now)
        case CompleteAppointment():
            return _refuse_completion(appointment, now)
        case RescheduleAppointment():
            return (
                _unless(appointment, Status.SCHEDULED, Status.CONFIRMED)
                or _unless_future(appointment, now)
                or _unless_moves(command, appointment)
                or _refuse_start(calendar, command.start, now)
            )
        case RemindPatient():
            return _unless_due(command, appointment, appointment.start - REMINDER_LEAD, now) or _unless_reminded(
                appointment
            )
        case MarkNoShow():
            return _unless_due(command, appointment, appointment.start + NO_SHOW_DELAY, now)
        case _:
            assert_never(command)


def _caused(calendar: Calendar, command: Change, appointment: Appointment, now: datetime) -> Event:
    """Return the event of a change that is possible."""
    header = _header(calendar, command, now)
    match command:
        case ConfirmAppointment():
            return AppointmentConfirmed(**header)
        case CancelAppointment():
            return AppointmentCancelled(**header)
        case CompleteAppointment():
            return AppointmentCompleted(**header)
        case RescheduleAppointment():
            return AppointmentRescheduled(**header, previous_start=appointment.start, start=command.start)
        case RemindPatient():
            useful = appointment.start - now >= REMINDER_USEFUL
            return PatientReminded(**header) if useful else ReminderMissed(**header)
        case MarkNoShow():
            return AppointmentMissed(**header)
        case _:
            assert_never(command)


def _refuse_start(calendar: Calendar, start: datetime, now: datetime) -> Refused | None:
    """Return why nobody can begin an appointment at `start`, if so: the doctor's rules first, then who holds it."""
    doctor = calendar.doctor
    if doctor.disabled:
        return Refused(RefusalCode.DOCTOR_UNAVAILABLE, "This doctor takes no appointments.")
    if not doctor.on_grid(start):
        return Refused(RefusalCode.OFF_GRID, "An appointment starts on the half hour of the doctor's clock.")
    if start <= now:
        return Refused(RefusalCode.IN_THE_PAST, "An appointment is booked for the future.")
    if start - now > HORIZON:
        return Refused(RefusalCode.TOO_FAR_AHEAD, f"One may book up to {HORIZON.days} days ahead.")
    if not doctor.works_at(start):
        return Refused(RefusalCode.OUTSIDE_HOURS, "The doctor does not work then.")
    # Equality is overlap: clocks change by whole half hours, so all starts of a doctor are on one grid.
    if start in calendar.holders:
        return Refused(RefusalCode.SLOT_TAKEN, "This slot is taken.")
    return None


def _refuse_completion(appointment: Appointment, now: datetime) -> Refused | None:
    if refusal := _unless(appointment, Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW):
        return refusal
    if now < appointment.start - LENGTH:
        return Refused(RefusalCode.TOO_EARLY, "An appointment is completed from 30 minutes before its start.")
    return None


def _unless(appointment: Appointment, *allowed: Status) -> Refused | None:
    return None if appointment.status in allowed else _wrong_status(appointment)


def _unless_future(appointment: Appointment, now: datetime) -> Refused | None:
    if now < appointment.start:
        return None
    return Refused(RefusalCode.IN_THE_PAST, "The appointment has begun.")


def _unless_moves(command: RescheduleAppointment, appointment: Appointment) -> Refused | None:
    if command.start != appointment.start:
        return None
    return Refused(RefusalCode.WRONG_STATUS, "The appointment starts then already.")


def _unless_due(
    command: RemindPatient | MarkNoShow, appointment: Appointment, due: datetime, now: datetime
) -> Refused | None:
    """Refuse a deadline that is early, or that was set for another start: the appointment may have moved since."""
    if not appointment.active:
        return _wrong_status(appointment)
    if appointment.start != command.start:
        return Refused(RefusalCode.WRONG_STATUS, "The appointment has moved.")
    return None if now >= due else Refused(RefusalCode.TOO_EARLY, "The deadline is not due yet.")


def _unless_reminded(appointment: Appointment) -> Refused | None:
    if appointment.due_kind == "reminder":
        return None
    return Refused(RefusalCode.WRONG_STATUS, "No reminder is due any more.")


def _wrong_status(appointment: Appointment) -> Refused:
    return Refused(RefusalCode.WRONG_STATUS, f"The appointment is {appointment.status.value.replace('_', '-')}.")


def _may_book(command: BookAppointment) -> bool:
    match command.by.role:
        case Role.PATIENT:
            return command.by.id == command.patient_id
        case Role.DOCTOR:
            return command.by.id == command.doctor_id
        case Role.SYSTEM:
            return True


def _may_change(command: Change) -> bool:
    """Whether the role may do this to an appointment that it is party to."""
    match command:
        case ConfirmAppointment() | CancelAppointment() | RescheduleAppointment():
            return True
        case CompleteAppointment():
            return command.by.role is not Role.PATIENT
        case RemindPatient() | MarkNoShow():
            return command.by.role is Role.SYSTEM
        case _:
            assert_never(command)


def _party_to(by: Actor, appointment: Appointment) -> bool:
    match by.role:
        case Role.PATIENT:
            return by.id == appointment.patient_id
        case Role.DOCTOR:
            return by.id == appointment.doctor_id
        case Role.SYSTEM:
            return True


def _appointment_id(command: Command) -> str:
    return command.id if isinstance(command, BookAppointment) else command.appointment_id


def _header(calendar: Calendar, command: Command, now: datetime) -> _Header:
    return {
        "seq": calendar.seq + 1,
        "prev": calendar.seq,
        "at": now,
        "by": command.by,
        "command_id": command.id,
        "fingerprint": fingerprint(command),
    }
