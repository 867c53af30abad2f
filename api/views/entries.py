"""One appointment or entry of the waitlist: the fields that it is filtered by, and the bytes that clients are sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from hub.scheduling.values import HOLDING, Status
from hub.scheduling.views import AppointmentView, EntryView

_SIZE = 700
"""Bytes of an entry besides its JSON: the object, its texts and times, and its share of the view's indexes. tracemalloc
shows 626 bytes for each of 10,000 entries of one doctor that share the texts of patients' ids, else 75 more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment as it is after the event `seq` of its doctor. `encoded` is its JSON as clients see it."""

    id: str
    doctor_id: str
    patient_id: str
    start: datetime
    created_at: datetime
    status: Status
    seq: int
    encoded: bytes

    @classmethod
    def of(cls, appointment: AppointmentView, seq: int) -> Self:
        """Return the entry of an appointment."""
        return cls(
            id=appointment.id,
            doctor_id=appointment.doctor_id,
            patient_id=appointment.patient_id,
            start=appointment.start,
            created_at=appointment.created_at,
            status=appointment.status,
            seq=seq,
            encoded=appointment.model_dump_json(by_alias=True).encode(),
        )

    @property
    def holds_slot(self) -> bool:
        """Whether the appointment holds its slot."""
        return self.status in HOLDING

    @property
    def size(self) -> int:
        """The estimated memory that the entry takes, in bytes."""
        return _SIZE + len(self.encoded)

    def decoded(self) -> AppointmentView:
        """Return the appointment as clients see it."""
        return AppointmentView.model_validate_json(self.encoded)


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An entry of the waitlist as it is after an event. `encoded` is its JSON as clients see it."""

    doctor_id: str
    patient_id: str
    encoded: bytes

    @classmethod
    def of(cls, entry: EntryView) -> Self:
        """Return what the journals hold of an entry."""
        return cls(entry.doctor_id, entry.patient_id, entry.model_dump_json(by_alias=True).encode())
