"""The events of a doctor's appointments, schedule and waitlist, in one order."""

from collections.abc import Container, Iterable, Iterator

from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import apply
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule


def recorded_events(aggregates: Iterable[Aggregate], numbers: Container[int]) -> list[RecordedEvent[Aggregate]]:
    """Return the events whose `seq` is among the numbers, ordered by `seq`, with what each of them left behind."""
    found = [each for aggregate in aggregates for each in _history(aggregate) if each.event.seq in numbers]
    return sorted(found, key=lambda each: each.event.seq)


def _history(aggregate: Aggregate) -> Iterator[RecordedEvent[Aggregate]]:
    state: Aggregate | None = unchanged_schedule(aggregate.initial) if isinstance(aggregate, ScheduleRecord) else None
    for event in aggregate.history:
        state = apply(state, event)
        yield RecordedEvent(event, state)
