"""What has a history of its own and is written to the record as a whole.

An appointment, a doctor's schedule, or an entry of a doctor's waitlist.
"""

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AnyEvent
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.waitlist_entry import WaitlistEntry

Aggregate = Appointment | ScheduleRecord | WaitlistEntry


def events_of(aggregate: Aggregate, command_id: str) -> tuple[AnyEvent, ...]:
    """Return the events that a command caused in this aggregate, in order; none when it caused none here."""
    return tuple(event for event in aggregate.history if event.command_id == command_id)


def latest_events(aggregate: Aggregate) -> tuple[AnyEvent, ...]:
    """Return the events of the latest command. One write adds exactly these to the record."""
    return events_of(aggregate, aggregate.last.command_id)


def base_version(aggregate: Aggregate) -> int:
    """Return the version on which the latest command was decided; 0 when that command made the aggregate."""
    return aggregate.version - len(latest_events(aggregate))


def is_creation(aggregate: Aggregate) -> bool:
    """Return whether this is an appointment or an entry with no events but those of the command that made it."""
    return not isinstance(aggregate, ScheduleRecord) and base_version(aggregate) == 0
