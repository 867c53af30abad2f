"""The decision: which events a command causes, or why it does nothing."""

from datetime import datetime, timedelta
from typing import assert_never

from hub.scheduling.aggregate import Aggregate, events_of
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, WALK_IN_WINDOW, Appointment
from hub.scheduling.commands import (
    AppointmentChange,
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    Change,
    CheckInPatient,
    Command,
    CompleteAppointment,
    ConfirmAppointment,
    ErasePatient,
    JoinPatient,
    MarkNoShow,
    RemindPatient,
    RescheduleAppointment,
    ScheduleChange,
    UndoVisit,
    erased_fingerprint,
    fingerprint,
)
from hub.scheduling.decide_offer import offer_event, refuse_offer_change
from hub.scheduling.decide_schedule import decide_schedule
from hub.scheduling.decide_visit import refuse_visit_change, visit_event
from hub.scheduling.decide_waitlist import decide_waitlist
from hub.scheduling.decision import Accepted, Decision, Header, RefusalCode, Refused, Repeated, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    Event,
    PatientErased,
    PatientJoined,
    PatientReminded,
    ReminderMissed,
)
from hub.scheduling.requirements import require_no_visit, require_status, wrong_status
from hub.scheduling.values import ACTIVE, APPOINTMENT_DURATION, HORIZON, Actor, Role, Status, Visit
from hub.scheduling.waitlist_commands import (
    AcceptOffer,
    DeclineOffer,
    JoinWaitlist,
    LapseOffer,
    OfferChange,
    OfferSlot,
    TendWaitlist,
    WaitlistCommand,
)

REMINDER_USEFUL = timedelta(minutes=30)
"""A reminder that is late is still sent when the start is at least this far away."""


def decide(state: DoctorState, command: Command, now: datetime) -> Decision:
    """Decide a command about the doctor of `state` at the instant `now` (UTC).

    A repeated command is recognised when its events are in the appointment or the schedule that it names. When they are
    elsewhere, the record's unique index on command ids refuses the write, and `repeated` gives the answer.
    """
    named = _named(state, command)
    if named and (before := repeated(command, named)):
        return before
    if command.expires is not None and now > command.expires:
        return Refused(RefusalCode.EXPIRED, "The command waited too long to be carried out; send it again.")
    if isinstance(command, BookAppointment):
        return _book(state, command, now)
    if isinstance(command, ScheduleChange):
        return decide_schedule(state, command, now)
    if isinstance(command, WaitlistCommand):
        return decide_waitlist(state, command, now)
    appointment = state.appointments.get(command.appointment_id)
    if appointment is None or not _party_to(command.by, appointment):
        return Refused(RefusalCode.NOT_FOUND, "There is no such appointment.")
    if not _may_change(command):
        return Refused(RefusalCode.FORBIDDEN, f"A {command.by.role.value} may not do this to an appointment.")
    return _change(state, command, appointment, now)


def repeated(command: Command, aggregate: Aggregate) -> Repeated | Refused | None:
    """Answer a command whose id has been applied to this aggregate already; None when it has not.

    A different command under a used id is refused.
    """
    events = events_of(aggregate, command.id)
    if not events:
        return None
    known = {fingerprint(command)}
    if isinstance(command, BookAppointment | CancelAppointment):
        known.add(erased_fingerprint(command))
    if events[0].fingerprint in known:
        return Repeated(aggregate, events)
    return Refused(RefusalCode.IDEMPOTENCY_KEY_REUSED, "This key has been used for a different command; use a new one.")


def _named(state: DoctorState, command: Command) -> Aggregate | None:
    """Return what the command names or, if it is repeated, the appointment or entry that it made; None if not known."""
    if isinstance(command, ScheduleChange):
        return state.schedule_record
    if isinstance(command, BookAppointment | OfferSlot | TendWaitlist):
        return state.appointments.get(command.id)
    if isinstance(command, WaitlistCommand):
        return state.entry(command.id if isinstance(command, JoinWaitlist) else command.entry_id)
    return state.appointments.get(command.appointment_id)


def _book(state: DoctorState, command: BookAppointment, now: datetime) -> Decision:
    if not _may_book(command):
        return Refused(RefusalCode.FORBIDDEN, "Patients book for themselves, doctors in their own calendar.")
    if refusal := _refuse_start(state, command, command.patient_id, now):
        return refusal
    booked = AppointmentBooked(
        **header(state, command, now),
        doctor_id=command.doctor_id,
        patient_id=command.patient_id,
        start=command.start,
        reason=command.reason,
    )
    return Accepted(command.id, (booked,))


def _change(state: DoctorState, command: Change, appointment: Appointment, now: datetime) -> Decision:
    if isinstance(command, OfferChange):
        refused = refuse_offer_change(state, command, appointment, now)
        return refused or Accepted(appointment.id, (offer_event(state, command, now),))
    if refusal := _refuse_change(state, command, appointment, now):
        return refusal
    return Accepted(appointment.id, (_event(state, command, appointment, now),))


def _refuse_change(
    state: DoctorState, command: AppointmentChange, appointment: Appointment, now: datetime
) -> Refused | None:
    """Return why the change is not possible now, if so."""
    match command:
        case ConfirmAppointment():
            return require_status(appointment, Status.SCHEDULED)
        case CancelAppointment():
            return (
                require_status(appointment, *ACTIVE)
                or require_no_visit(appointment)
                or _require_future(appointment, now)
            )
        case CompleteAppointment():
            return _refuse_completion(appointment, now)
        case RescheduleAppointment():
            return (
                require_status(appointment, *ACTIVE)
                or require_no_visit(appointment)
                or _require_future(appointment, now)
                or _require_other_start(command, appointment)
                or _refuse_start(state, command, appointment.patient_id, now)
            )
        case CheckInPatient() | CallInPatient() | UndoVisit():
            return refuse_visit_change(state, command, appointment, now)
        case JoinPatient() | ErasePatient():
            return _require_patient(command, appointment)
        case RemindPatient():
            return _require_due(
                command, appointment, appointment.start - REMINDER_LEAD, now
            ) or _require_no_reminder_yet(appointment)
        case MarkNoShow():
            return _require_due(command, appointment, appointment.start + NO_SHOW_DELAY, now) or require_no_visit(
                appointment
            )
        case _:
            assert_never(command)


def _event(state: DoctorState, command: AppointmentChange, appointment: Appointment, now: datetime) -> Event:
    """Return the event of a change that nothing forbids."""
    fields = header(state, command, now)
    match command:
        case ConfirmAppointment():
            return AppointmentConfirmed(**fields)
        case CancelAppointment():
            return AppointmentCancelled(**fields, reason=command.reason)
        case CompleteAppointment():
            return AppointmentCompleted(**fields)
        case RescheduleAppointment():
            return AppointmentRescheduled(**fields, previous_start=appointment.start, start=command.start)
        case JoinPatient() | ErasePatient():
            return _patient_event(command, fields)
        case RemindPatient():
            useful = appointment.start - now >= REMINDER_USEFUL
            return PatientReminded(**fields) if useful else ReminderMissed(**fields)
        case MarkNoShow():
            return AppointmentMissed(**fields)
        case CheckInPatient() | CallInPatient() | UndoVisit():
            return visit_event(state, command, now)
        case _:
            assert_never(command)


def slot_taken(by: Actor, patient_id: str, owner: Appointment | None) -> Refused:
    """Return the refusal of a start at which `owner` holds the slot; None if the owner has not been read.

    A patient's second click for the own slot is told the appointment that the first one made.
    """
    if owner is None or owner.patient_id != patient_id:
        return Refused(RefusalCode.SLOT_TAKEN, "This slot is taken.")
    whose = "You have" if by.role is Role.PATIENT else "This patient has"
    return Refused(RefusalCode.SLOT_TAKEN, f"{whose} this slot already.", owner.id)


def _refuse_start(
    state: DoctorState, command: BookAppointment | RescheduleAppointment, patient_id: str, now: datetime
) -> Refused | None:
    """Return why the patient cannot have this start, if so: the doctor's schedule first, then the slot's owner."""
    schedule, start = state.schedule, command.start
    if schedule.disabled:
        return Refused(RefusalCode.DOCTOR_UNAVAILABLE, "This doctor takes no appointments.")
    if not schedule.on_grid(start):
        return Refused(RefusalCode.OFF_GRID, "An appointment starts on the half hour of the doctor's clock.")
    if start <= _earliest_start(command, now):
        return Refused(RefusalCode.IN_THE_PAST, "An appointment is booked for the future.")
    if start - now > HORIZON:
        return Refused(RefusalCode.TOO_FAR_AHEAD, f"One may book up to {HORIZON.days} days ahead.")
    if not schedule.works_at(start):
        return Refused(RefusalCode.OUTSIDE_HOURS, "The doctor does not work then.")
    # Equal starts are the only overlap: clocks change by whole half hours, so all starts of a doctor lie on one grid.
    if start in state.slot_owners:
        return slot_taken(command.by, patient_id, state.appointments.get(state.slot_owners[start]))
    return None


def _earliest_start(command: BookAppointment | RescheduleAppointment, now: datetime) -> datetime:
    """Return the instant after which the appointment must start.

    For bookings by the people of the clinic this is before `now`: a patient who walks in gets the running half hour.
    """
    of_clinic = command.by.role in {Role.DOCTOR, Role.RECEPTIONIST}
    return now - WALK_IN_WINDOW if of_clinic and isinstance(command, BookAppointment) else now


def _refuse_completion(appointment: Appointment, now: datetime) -> Refused | None:
    if refusal := require_status(appointment, Status.SCHEDULED, Status.CONFIRMED, Status.NO_SHOW):
        return refusal
    in_room = appointment.visit is Visit.IN_ROOM
    if not in_room and now < appointment.start - APPOINTMENT_DURATION:
        return Refused(RefusalCode.TOO_EARLY, "An appointment is completed from 30 minutes before its start.")
    return None


def _require_future(appointment: Appointment, now: datetime) -> Refused | None:
    if now < appointment.start:
        return None
    return Refused(RefusalCode.IN_THE_PAST, "The appointment has begun.")


def _require_other_start(command: RescheduleAppointment, appointment: Appointment) -> Refused | None:
    if command.start != appointment.start:
        return None
    return Refused(RefusalCode.WRONG_STATUS, "The appointment starts then already.")


def _patient_event(command: JoinPatient | ErasePatient, fields: Header) -> Event:
    if isinstance(command, ErasePatient):
        return PatientErased(**fields)
    previous = command.previous_patient_id
    return PatientJoined(**fields, previous_patient_id=previous, patient_id=command.patient_id)


def _require_patient(command: JoinPatient | ErasePatient, appointment: Appointment) -> Refused | None:
    if isinstance(command, ErasePatient):
        if appointment.patient_id == command.patient_id:
            return None
        return Refused(RefusalCode.WRONG_STATUS, "The appointment is not of the patient who is erased.")
    if appointment.patient_id == command.previous_patient_id != command.patient_id:
        return None
    return Refused(RefusalCode.WRONG_STATUS, "The appointment is not of the patient who is joined.")


def _require_due(
    command: RemindPatient | MarkNoShow, appointment: Appointment, due: datetime, now: datetime
) -> Refused | None:
    """Refuse a deadline that is early, or that was set for another start: the appointment may have moved since then."""
    if not appointment.active:
        return wrong_status(appointment)
    if appointment.start != command.start:
        return Refused(RefusalCode.WRONG_STATUS, "The appointment has moved.")
    return None if now >= due else Refused(RefusalCode.TOO_EARLY, "The deadline is not due yet.")


def _require_no_reminder_yet(appointment: Appointment) -> Refused | None:
    if appointment.due_kind == "reminder":
        return None
    return Refused(RefusalCode.WRONG_STATUS, "No reminder is due any more.")


def _may_book(command: BookAppointment) -> bool:
    match command.by.role:
        case Role.PATIENT:
            return command.by.id == command.patient_id
        case Role.DOCTOR:
            return command.by.id == command.doctor_id
        case Role.RECEPTIONIST | Role.SYSTEM:
            return True


def _may_change(command: Change) -> bool:
    """Whether the role may do this to an appointment that it is party to."""
    match command:
        case ConfirmAppointment() | CancelAppointment() | RescheduleAppointment() | AcceptOffer() | DeclineOffer():
            return True
        case CompleteAppointment() | CheckInPatient() | CallInPatient() | UndoVisit():
            return command.by.role is not Role.PATIENT
        case JoinPatient():
            return command.by.role in {Role.RECEPTIONIST, Role.SYSTEM}
        case ErasePatient():
            return command.by.role in {Role.PATIENT, Role.SYSTEM}
        case RemindPatient() | MarkNoShow() | LapseOffer():
            return command.by.role is Role.SYSTEM
        case _:
            assert_never(command)


def _party_to(by: Actor, appointment: Appointment) -> bool:
    match by.role:
        case Role.PATIENT:
            return by.id == appointment.patient_id
        case Role.DOCTOR:
            return by.id == appointment.doctor_id
        case Role.RECEPTIONIST | Role.SYSTEM:
            return True
