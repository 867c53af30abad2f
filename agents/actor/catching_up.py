"""Brings what the table of doctors remembers up to date with what has changed in the record since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from agents.actor.doctor_table import Remembered
from hub.records.ports import LastEvent
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule_record import ScheduleRecord

MOST_CHANGES = 64
"""Changed appointments that are caught up with. With more, the doctor is read as a whole."""


@dataclass(frozen=True)
class CaughtUp:
    """A doctor as of the event `last`."""

    last: LastEvent
    schedule_record: ScheduleRecord
    slot_owners: Mapping[datetime, str]

    def days_since(self, before: Remembered) -> set[date]:
        """Return the UTC days whose slots have changed."""
        changed = set(self.slot_owners.items()) ^ set(before.slot_owners.items())
        return {start.date() for start, _ in changed}


def has_another_history(before: Remembered, changed: Sequence[Aggregate]) -> bool:
    """Return whether the record lacks the event that is remembered: it was restored to an earlier moment, or replaced.

    `changed` is what has events of `before.last.seq` or later.
    """
    events = (event for each in changed for event in each.history if event.seq == before.last.seq)
    return all(event.command_id != before.last.command_id for event in events)


def caught_up(before: Remembered, changed: Sequence[Aggregate]) -> CaughtUp | None:
    """Return the doctor as of the last event in `changed`: what has events of `before.last.seq` or later.

    Returns None if it does not follow on what is remembered: too much has changed, an event between others is missing
    because it was written during the read, or the record has another history, as a restored database has.
    """
    seq = before.last.seq
    events = {event.seq: event.command_id for each in changed for event in each.history if event.seq >= seq}
    follows = events.get(seq) == before.last.command_id and len(events) == max(events) - seq + 1
    if len(changed) > MOST_CHANGES or not follows:
        return None
    appointments = [each for each in changed if isinstance(each, Appointment)]
    moved = {each.id for each in appointments}
    slot_owners = {start: owner for start, owner in before.slot_owners.items() if owner not in moved}
    slot_owners |= {each.start: each.id for each in appointments if each.holds_slot}
    schedule_record = next((each for each in changed if isinstance(each, ScheduleRecord)), before.schedule_record)
    last = max(events)
    return CaughtUp(LastEvent(last, events[last]), schedule_record, slot_owners)
