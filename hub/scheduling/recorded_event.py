"""An event of a doctor's history together with what it left behind."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AnyEvent

A = TypeVar("A", bound=Aggregate, covariant=True)  # noqa: PLC0105  # named as in the other modules


@dataclass(frozen=True)
class RecordedEvent(Generic[A]):
    """An event, and the appointment or the schedule as it was right after it."""

    event: AnyEvent
    aggregate: A

    @property
    def doctor_id(self) -> str:
        """The doctor in whose history the event is."""
        return self.aggregate.doctor_id


def of_appointments(recorded: Iterable[RecordedEvent[Aggregate]]) -> list[RecordedEvent[Appointment]]:
    """Return those of the events that happened to appointments."""
    return [RecordedEvent(each.event, each.aggregate) for each in recorded if isinstance(each.aggregate, Appointment)]
