"""What has been refused lately, so that a copy of the same asking is answered alike.

The api sends an unanswered command again, and a reply may be late: then a copy is still on its way when the client is
told no. Decided anew, that copy might be granted, because the slot is free by now, and somebody who was refused would
have an appointment. What has been granted needs no such memory: the record knows it by the command's id.
"""

from collections import deque
from datetime import datetime

from hub.bus.messages import Declined, Reply
from hub.clock import Clock
from hub.scheduling.commands import Command

Asking = tuple[str, datetime]
"""A command's id and when it was first sent: the same for all copies, another one when a client asks again."""


def asking_of(command: Command) -> Asking:
    """Return which asking a command is a copy of."""
    return command.id, command.at


class Refusals:
    """The refusals of one worker, each kept until no copy of its command is carried out any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Asking, Declined] = {}
        self._expiring: deque[tuple[datetime, Asking]] = deque()

    def of(self, command: Command) -> Declined | None:
        """Return how a copy of this asking was refused, if it was."""
        return self._known.get(asking_of(command))

    def note(self, command: Command, reply: Reply) -> None:
        """Remember a refusal. Of commands that never expire nobody is told, so they are left out."""
        now = self._clock()
        while self._expiring and self._expiring[0][0] < now:
            self._known.pop(self._expiring.popleft()[1], None)
        if isinstance(reply, Declined) and command.expires is not None and self.of(command) is None:
            self._known[asking_of(command)] = reply
            self._expiring.append((command.expires, asking_of(command)))

    def forget(self) -> None:
        """Forget everything: after a rebalance another worker may have granted a copy."""
        self._known.clear()
        self._expiring.clear()
