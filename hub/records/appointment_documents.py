"""Converts documents of the collection `appointments` to appointments and schedule records."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.records.documents import from_document
from hub.records.overlap import quarters
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import Status, rfc3339

LONG_AGO = datetime(1000, 1, 1, tzinfo=UTC)
"""A lower bound of all instants. A condition without a lower bound also matches documents without the field."""
_PLACE = " #"
"""Stands in no id and in no instant."""


def aggregate_of(document: Mapping[str, Any]) -> Aggregate:
    """Return the appointment or the schedule record of a document. Raises `BrokenRecord`."""
    return appointment_of(document) if "patientId" in document else from_document(ScheduleRecord, document)


def appointment_of(document: Mapping[str, Any]) -> Appointment:
    """Return the appointment of a document. Raises `BrokenRecord`."""
    fields = {name: value for name, value in document.items() if name != "patientTimes"}
    fields["place"] = next((place_of(held)[1] for held in document.get("patientTimes", ()) if _PLACE in held), None)
    if fields.get("status") == Status.COMPLETED and "completedAt" not in fields and fields.get("history"):
        # Written by a version of the hub without this field. Nothing follows a completion, so it is the last event.
        fields["completedAt"] = fields["history"][-1].get("at")
    return from_document(Appointment, fields)


def patient_place(patient_id: str, place: int) -> str:
    """Return a place among the appointments of its patient as one value of the same index as the patient's times."""
    return f"{patient_id}{_PLACE}{place}"


def place_of(value: str) -> tuple[str, int]:
    """Return the patient and the place of a value that `patient_place` made."""
    patient_id, _, place = value.partition(_PLACE)
    return patient_id, int(place)


def patient_times(patient_id: str, start: datetime) -> list[str]:
    """Return the quarter hours that an appointment occupies of its patient, each as one indexed value.

    One value instead of two fields: with it, the embedded engine finds those of a batch in milliseconds, not seconds.
    """
    return [f"{patient_id} {rfc3339(quarter)}" for quarter in quarters(start)]
