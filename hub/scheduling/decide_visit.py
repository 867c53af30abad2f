"""The decision about a visit: the patient arrives, is called into the room, and steps that are undone."""

from datetime import datetime
from typing import assert_never

from hub.scheduling.appointment import CHECK_IN_LEAD, Appointment
from hub.scheduling.commands import CallInPatient, CheckInPatient, UndoVisit, VisitChange
from hub.scheduling.decision import RefusalCode, Refused, header
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import Event, PatientCalledIn, PatientCheckedIn, VisitUndone
from hub.scheduling.requirements import require_no_visit, require_status
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import ACTIVE, Status, Visit


def refuse_visit_change(
    state: DoctorState, command: VisitChange, appointment: Appointment, now: datetime
) -> Refused | None:
    """Return why the visit cannot be changed so at the instant `now` (UTC), if so."""
    match command:
        case CheckInPatient():
            return (
                require_status(appointment, *ACTIVE, Status.NO_SHOW)
                or require_no_visit(appointment)
                or _require_day_of_visit(state.schedule, appointment, now)
                or _require_own_slot(state, appointment)
            )
        case CallInPatient():
            return require_status(appointment, *ACTIVE) or _require_visit(appointment, Visit.ARRIVED)
        case UndoVisit():
            return require_status(appointment, *ACTIVE) or _require_visit(appointment, *Visit)
        case _:
            assert_never(command)


def visit_event(state: DoctorState, command: VisitChange, now: datetime) -> Event:
    """Return the event of a change that nothing forbids."""
    fields = header(state, command, now)
    match command:
        case CheckInPatient():
            return PatientCheckedIn(**fields)
        case CallInPatient():
            return PatientCalledIn(**fields)
        case UndoVisit():
            return VisitUndone(**fields)
        case _:
            assert_never(command)


def _require_day_of_visit(schedule: Schedule, appointment: Appointment, now: datetime) -> Refused | None:
    """Refuse an arrival before `CHECK_IN_LEAD`, or after the day of the appointment by the doctor's clock."""
    if now < appointment.start - CHECK_IN_LEAD:
        return Refused(RefusalCode.TOO_EARLY, "A patient is checked in from 3 hours before the start.")
    _, end_of_day = schedule.day_bounds(schedule.day_of(appointment.start))
    if now >= end_of_day:
        return Refused(RefusalCode.IN_THE_PAST, "The day of the appointment is over.")
    return None


def _require_own_slot(state: DoctorState, appointment: Appointment) -> Refused | None:
    """Refuse to check in a no-show whose slot has been given to another appointment.

    A slot can be booked until 15 minutes after its start, and only then becomes its appointment a no-show. So this
    happens only if the clock of another machine is slow.
    """
    if state.slot_owners.get(appointment.start, appointment.id) == appointment.id:
        return None
    return Refused(RefusalCode.SLOT_TAKEN, "The slot of the missed appointment has been given away.")


def _require_visit(appointment: Appointment, *allowed: Visit) -> Refused | None:
    if appointment.visit in allowed:
        return None
    detail = "The patient has not arrived." if appointment.visit is None else "The patient is in the room already."
    return Refused(RefusalCode.WRONG_STATUS, detail)
