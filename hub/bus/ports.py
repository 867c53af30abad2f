"""What the api asks of the bus."""

from collections.abc import Callable
from typing import Protocol

from hub.bus.messages import Notice, Reply, SessionEnded
from hub.scheduling.commands import Command


class NoAnswer(Exception):
    """No agent answered within the time a client is made to wait; the command may or may not be carried out.

    Sending it again with the same id is always safe.
    """


class Commands(Protocol):
    """The way of a command to its doctor's actor and back."""

    async def ask(self, command: Command) -> Reply:
        """Send the command, repeat it while nobody answers, return the answer. Raises `NoAnswer` after 10 seconds."""


OnNotice = Callable[[Notice], None]
"""Called once for every notice, in order of `seq` for each doctor; must not block."""


class Following(Protocol):
    """The feed of notices, complete for the doctors that somebody here follows."""

    async def follow(self, doctor_id: str) -> int:
        """Watch over this doctor's notices from now on; return the `seq` after which every notice is delivered.

        That is the last one delivered here, or else where the doctor stands in the record; from then on the feed mends
        each gap from the record. Counts: as many `unfollow` calls end it. Notices of doctors that nobody follows, and
        those before the returned `seq` that nobody here has been told of, are delivered as they come, once.
        """

    def unfollow(self, doctor_id: str) -> None:
        """Take back one `follow`."""


OnSessionEnded = Callable[[SessionEnded], None]
"""Called for each log-in that a process says is over, perhaps more than once; must not block."""


class Announcing(Protocol):
    """Says to all api processes what they should know at once."""

    async def announce(self, ended: SessionEnded) -> None:
        """Say that a log-in is over. Raises nothing: who does not hear it will find it in the record."""
