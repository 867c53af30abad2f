"""An appointment as clients see it."""

from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Id, Instant, Reason, Status, Value


class AppointmentView(Value):
    """An appointment without its deadlines and its history."""

    id: Id
    doctor_id: Id
    patient_id: Id
    start: Instant
    end: Instant
    status: Status
    version: int
    reason: Reason | None
    created_at: Instant


def view(appointment: Appointment) -> AppointmentView:
    """Return what the doctor and the patient of an appointment may see of it."""
    return AppointmentView(
        id=appointment.id,
        doctor_id=appointment.doctor_id,
        patient_id=appointment.patient_id,
        start=appointment.start,
        end=appointment.end,
        status=appointment.status,
        version=appointment.version,
        reason=appointment.reason,
        created_at=appointment.created_at,
    )
