"""What happened to a doctor's appointments and timetable, one event after the other."""

from collections.abc import Container, Iterable

from hub.scheduling.appointment import Appointment, as_of
from hub.scheduling.recorded_event import Happened, Past, Rearranged
from hub.scheduling.schedule_record import Aggregate, fold_timetable


def past_of(aggregates: Iterable[Aggregate], numbers: Container[int]) -> list[Past]:
    """Return the events whose `seq` is among the numbers, ordered by it, with what each one left behind."""
    found: list[Past] = []
    for one in aggregates:
        if isinstance(one, Appointment):
            found += [Happened(event, as_of(one, event)) for event in one.history if event.seq in numbers]
        else:
            found += [
                Rearranged(event, fold_timetable(one.hired, one.history[: nth + 1]))
                for nth, event in enumerate(one.history)
                if event.seq in numbers
            ]
    return sorted(found, key=lambda past: past.event.seq)
