"""Judges the limit on the appointments to come of one patient."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentMissed,
    PatientCheckedIn,
    PatientJoined,
)
from hub.scheduling.values import Role

Span = tuple[datetime, datetime]
_ENDS = AppointmentCancelled | AppointmentCompleted | AppointmentMissed | PatientCheckedIn | PatientJoined


def exceeded(record: Record, most: int, writing: timedelta) -> Iterator[Violation]:
    """Find patients who had more than `most` appointments to come that they booked themselves, 0: any number.

    The actors of several doctors decide these, so only times can be compared, as with `overlaps_of_patients`.
    """
    if not most:
        return
    of_patients: dict[str, list[Span]] = {}
    for appointment in record.appointments.values():
        booked = appointment.history[0]
        if isinstance(booked, AppointmentBooked) and booked.by.role is Role.PATIENT:
            began, ended = span_to_come(appointment, record.read_at + 2 * writing)
            of_patients.setdefault(booked.patient_id, []).append((began + writing, ended))
    for patient_id, spans in of_patients.items():
        if (found := most_at_once(spans)) > most:
            what = "a patient had more appointments to come than the clinic allows"
            yield Violation(Promise.NO_OVERLAP, what, f"patient {patient_id}: {found}")


def span_to_come(appointment: Appointment, otherwise: datetime) -> Span:
    """Return from when until when the appointment was one to come of its first patient; `otherwise`: it still is."""
    ends = (event.at for event in appointment.history if isinstance(event, _ENDS))
    return appointment.history[0].at, next(ends, otherwise)


def most_at_once(spans: Iterable[Span]) -> int:
    """Return how many of the spans share a moment, at most."""
    inside: Sequence[Span] = [span for span in spans if span[0] < span[1]]
    return max((sum(began <= moment < ended for began, ended in inside) for moment, _ in inside), default=0)
