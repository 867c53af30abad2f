"""What every command has."""

from hub.scheduling.values import Actor, Id, Instant, Value


class CommandFields(Value):
    """`id` makes the command repeatable, `at` is when it was issued. After `expires` it is not carried out any more."""

    id: Id
    doctor_id: Id
    by: Actor
    at: Instant
    expires: Instant | None = None
