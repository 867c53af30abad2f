"""The decision: what a command does to a doctor's calendar, or why it does nothing."""

from datetime import datetime, timedelta
from typing import assert_never

from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, Appointment
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
    ScheduleChange,
    fingerprint,
)
from hub.scheduling.decide_schedule import arrange
from hub.scheduling.decision import (
    Accepted,
    Decision,
    RefusalCode,
    Refused,
    Repeated,
    RepeatedArrangement,
    header,
)
from hub.scheduling.doctor_state import DoctorState
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
from hub.scheduling.schedule_record import Aggregate
from hub.scheduling.values import APPOINTMENT_DURATION, HORIZON, Actor, Role, Status

REMINDER_USEFUL = timedelta(minutes=30)
"""A reminder that is late is still sent when the start is at least this far away."""


def decide(calendar: DoctorState, command: Command, now: datetime) -> Decision:
    """Decide a command against the calendar of the doctor whom it names, at the instant `now` (UTC).

    Knows the commands applied to what this one names: an appointment, or the doctor's timetable. One that was applied
    to something else is found by the record's fence on command ids; its answer is then `repeated`.
    """
    named = _named(calendar, command)
    if named and (before := repeated(command, named)):
        return before
    if command.expires is not None and now > command.expires:
        return Refused(RefusalCode.EXPIRED, "The command waited too long to be carried out; send it again.")
    if isinstance(command, BookAppointment):
        return _book(calendar, command, now)
    if isinstance(command, ScheduleChange):
        return arrange(calendar, command, now)
    appointment = calendar.appointments.get(command.appointment_id)
    if appointment is None or not _party_to(command.by, appointment):
        return Refused(RefusalCode.NOT_FOUND, "There is no such appointment.")
    if not _may_change(command):
        return Refused(RefusalCode.FORBIDDEN, f"A {command.by.role.value} may not do this to an appointment.")
    return _change(calendar, command, appointment, now)


def repeated(command: Command, aggregate: Aggregate) -> Repeated | RepeatedArrangement | Refused | None:
    """Answer a command whose id has been applied to this already: the same again, or another one under its id.

    None when it has not been applied to this.
    """
    before: Repeated | RepeatedArrangement
    if isinstance(aggregate, Appointment):
        if (event := aggregate.caused_by(command.id)) is None:
            return None
        before = Repeated(aggregate, event)
    else:
        if (arranged := aggregate.caused_by(command.id)) is None:
            return None
        before = RepeatedArrangement(aggregate, arranged)
    if before.event.fingerprint == fingerprint(command):
        return before
    return Refused(RefusalCode.IDEMPOTENCY_KEY_REUSED, "This key has been used for a different command; use a new one.")


def _named(calendar: DoctorState, command: Command) -> Aggregate | None:
    """Return what the command names or, if it is a repeated booking, made; None if we know of no such thing."""
    if isinstance(command, ScheduleChange):
        return calendar.schedule_record
    return calendar.appointments.get(command.id if isinstance(command, BookAppointment) else command.appointment_id)


def _book(calendar: DoctorState, command: BookAppointment, now: datetime) -> Decision:
    if not _may_book(command):
        return Refused(RefusalCode.FORBIDDEN, "Patients book for themselves, doctors in their own calendar.")
    if refusal := _refuse_start(calendar, command.start, now):
        return refusal
    return Accepted(
        command.id,
        AppointmentBooked(
            **header(calendar, command, now),
            doctor_id=command.doctor_id,
            patient_id=command.patient_id,
            start=command.start,
            reason=command.reason,
        ),
    )


def _change(calendar: DoctorState, command: Change, appointment: Appointment, now: datetime) -> Decision:
    if refusal := _refuse_change(calendar, command, appointment, now):
        return refusal
    return Accepted(appointment.id, _caused(calendar, command, appointment, now))


def _refuse_change(calendar: DoctorState, command: Change, appointment: Appointment, now: datetime) -> Refused | None:
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


def _caused(calendar: DoctorState, command: Change, appointment: Appointment, now: datetime) -> Event:
    """Return the event of a change that is possible."""
    of_event = header(calendar, command, now)
    match command:
        case ConfirmAppointment():
            return AppointmentConfirmed(**of_event)
        case CancelAppointment():
            return AppointmentCancelled(**of_event)
        case CompleteAppointment():
            return AppointmentCompleted(**of_event)
        case RescheduleAppointment():
            return AppointmentRescheduled(**of_event, previous_start=appointment.start, start=command.start)
        case RemindPatient():
            useful = appointment.start - now >= REMINDER_USEFUL
            return PatientReminded(**of_event) if useful else ReminderMissed(**of_event)
        case MarkNoShow():
            return AppointmentMissed(**of_event)
        case _:
            assert_never(command)


def _refuse_start(calendar: DoctorState, start: datetime, now: datetime) -> Refused | None:
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
    if start in calendar.slot_owners:
        return Refused(RefusalCode.SLOT_TAKEN, "This slot is taken.")
    return None


def _refuse_completion(appointment: Appointment, now: datetime) -> Refused | None:
    if refusal := _unless(appointment, Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW):
        return refusal
    if now < appointment.start - APPOINTMENT_DURATION:
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
