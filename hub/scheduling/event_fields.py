"""What every event has."""

from hub.scheduling.values import Actor, Id, Instant, Value


class EventFields(Value):
    """The fields of every event.

    `seq` numbers the events of a doctor from 1. `prev` is the doctor's previous `seq`, 0 for the first event, so that a
    reader detects a missing event. `command_id` and `fingerprint` are those of the command that caused the event.
    """

    seq: int
    prev: int
    at: Instant
    by: Actor
    command_id: Id
    fingerprint: str
