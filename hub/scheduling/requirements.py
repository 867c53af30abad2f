"""Conditions on an appointment that several decisions have in common. Each returns a refusal, or None if it holds."""

from hub.scheduling.appointment import Appointment
from hub.scheduling.decision import RefusalCode, Refused
from hub.scheduling.values import Status


def require_status(appointment: Appointment, *allowed: Status) -> Refused | None:
    """Require one of these statuses."""
    return None if appointment.status in allowed else wrong_status(appointment)


def require_no_visit(appointment: Appointment) -> Refused | None:
    """Require that the patient has not arrived."""
    if appointment.visit is None:
        return None
    return Refused(RefusalCode.WRONG_STATUS, "The patient has arrived; if not, undo the check-in first.")


def wrong_status(appointment: Appointment) -> Refused:
    """Return the refusal that names the status of the appointment."""
    return Refused(RefusalCode.WRONG_STATUS, f"The appointment is {appointment.status.value.replace('_', '-')}.")
