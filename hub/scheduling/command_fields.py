"""What every command has."""

from hub.scheduling.values import Actor, Id, Instant, Value


class CommandFields(Value):
    """`id` makes the command repeatable, `at` is when it was issued. After `expires` it is not carried out any more.

    `asked_at` is when its client asked for it, if it was issued again since; None: at `at`.
    """

    id: Id
    doctor_id: Id
    by: Actor
    at: Instant
    expires: Instant | None = None
    asked_at: Instant | None = None

    @property
    def asked(self) -> Instant:
        """When its client asked for it."""
        return self.asked_at or self.at
