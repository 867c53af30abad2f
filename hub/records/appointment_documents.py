"""Converts documents of the collection `appointments`: appointments, schedule records and entries of the waitlist."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.records.documents import Document, from_document, to_document
from hub.records.overlap import quarters
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import Status, rfc3339
from hub.scheduling.waitlist_entry import WaitlistEntry

LONG_AGO = datetime(1000, 1, 1, tzinfo=UTC)
"""A lower bound of all instants. A condition without a lower bound also matches documents without the field."""
_PLACE = " #"
"""Stands in no id and in no instant."""


_FOR_INDEXES = frozenset({"patientTimes", "offeredTo", "offerOf", "lineOf"})
"""Fields that only indexes use; they follow from the others."""


def document_of(aggregate: Aggregate) -> Document:
    """Return the document of an aggregate, with the fields that only indexes use.

    `offeredTo` is there while an offer is open, `offerOf` in all that was offered, `lineOf` while an entry waits.
    """
    document = to_document(aggregate)
    if isinstance(aggregate, Appointment):
        if aggregate.holds_slot:
            document["patientTimes"] = patient_times(aggregate.patient_id, aggregate.start)
            if (place := document.pop("place", None)) is not None:
                document["patientTimes"].append(patient_place(aggregate.patient_id, place))
        if aggregate.status is Status.OFFERED:
            document["offeredTo"] = aggregate.patient_id
        if aggregate.entry_id is not None:
            document["offerOf"] = offer_of(aggregate.doctor_id, aggregate.start)
    elif isinstance(aggregate, WaitlistEntry) and aggregate.waiting:
        document["lineOf"] = aggregate.doctor_id
    return document


def aggregate_of(document: Mapping[str, Any]) -> Aggregate:
    """Return the appointment, the schedule record or the entry of a document. Raises `BrokenRecord`."""
    if "waiter" in document:
        return entry_of(document)
    return appointment_of(document) if is_appointment(document) else from_document(ScheduleRecord, document)


def is_appointment(document: Mapping[str, Any]) -> bool:
    """Return whether this is the document of an appointment."""
    return "patientId" in document


def entry_of(document: Mapping[str, Any]) -> WaitlistEntry:
    """Return the entry of a document. Raises `BrokenRecord`."""
    return from_document(WaitlistEntry, _without_indexed(document))


def appointment_of(document: Mapping[str, Any]) -> Appointment:
    """Return the appointment of a document. Raises `BrokenRecord`."""
    fields = _without_indexed(document)
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


def _without_indexed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _FOR_INDEXES}


def offer_of(doctor_id: str, start: datetime) -> str:
    """Return the indexed value of an offer. The values of a doctor are in the order of their starts."""
    return f"{doctor_id} {start:%Y-%m-%dT%H:%M}"


def patient_times(patient_id: str, start: datetime) -> list[str]:
    """Return the quarter hours that an appointment occupies of its patient, each as one indexed value.

    One value instead of two fields: with it, the embedded engine finds those of a batch in milliseconds, not seconds.
    """
    return [f"{patient_id} {rfc3339(quarter)}" for quarter in quarters(start)]
