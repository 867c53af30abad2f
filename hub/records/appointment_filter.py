"""Selects appointments for lists, and the position of a page in a list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.scheduling.values import Status


class Listed(Protocol):
    """What a filter needs of an appointment."""

    @property
    def doctor_id(self) -> str:
        """The doctor."""

    @property
    def patient_id(self) -> str:
        """The patient."""

    @property
    def status(self) -> Status:
        """The status."""

    @property
    def start(self) -> datetime:
        """The start."""


@dataclass(frozen=True)
class AppointmentFilter:
    """Selects appointments. `start_from` is inclusive, `start_to` exclusive. A field that is None does not filter."""

    doctor_id: str | None = None
    patient_id: str | None = None
    statuses: frozenset[Status] | None = None
    start_from: datetime | None = None
    start_to: datetime | None = None

    def matches(self, appointment: Listed) -> bool:
        """Return whether the appointment matches the filter."""
        return (
            self.doctor_id in {None, appointment.doctor_id}
            and self.patient_id in {None, appointment.patient_id}
            and (self.statuses is None or appointment.status in self.statuses)
            and (self.start_from is None or appointment.start >= self.start_from)
            and (self.start_to is None or appointment.start < self.start_to)
        )

    def within(self, other: "AppointmentFilter") -> "AppointmentFilter":
        """Return the intersection of both filters, `NO_APPOINTMENTS` if no appointment can match both."""
        statuses = self.statuses if other.statuses is None else other.statuses
        if self.statuses is not None and other.statuses is not None:
            statuses = self.statuses & other.statuses
        people_differ = _differ(self.doctor_id, other.doctor_id) or _differ(self.patient_id, other.patient_id)
        if people_differ or statuses == frozenset():
            return NO_APPOINTMENTS
        return AppointmentFilter(
            doctor_id=self.doctor_id or other.doctor_id,
            patient_id=self.patient_id or other.patient_id,
            statuses=statuses,
            start_from=max(filter(None, (self.start_from, other.start_from)), default=None),
            start_to=min(filter(None, (self.start_to, other.start_to)), default=None),
        )


NO_APPOINTMENTS = AppointmentFilter(statuses=frozenset())
"""The filter that no appointment matches."""


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


@dataclass(frozen=True)
class After:
    """The position after which a page begins: the appointment with this start and id."""

    start: datetime
    id: str
