"""Interfaces of the bus, as the api uses it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from hub.bus.messages import Notice, Reply, SessionEnded
from hub.scheduling.commands import Command


class NoAnswer(Exception):
    """No agent answered within the time limit. The command may still be carried out.

    Sending it again with the same id is always safe.
    """


class Commands(Protocol):
    """Sends commands to the doctors' actors."""

    async def ask(self, command: Command) -> Reply:
        """Send the command, resend it until there is a reply, and return the reply. Raises `NoAnswer` after 10 s."""


OnNotice = Callable[[Notice], None]
"""Called once for every notice, in order of `seq` for each doctor. It must not block."""


@dataclass
class FeedState:
    """How far a process can rely on its feed."""

    connected: bool = True
    """Whether the broker answered at the last check, so that notices arrive."""
    incarnation: int = 0
    """The number of connections so far. A new one begins when the broker has lost its data, or was unreachable."""
    compared_at: float = -inf
    """When the last comparison began that reached every followed doctor (`time.monotonic`)."""


class NoticeFeed(Protocol):
    """The feed of notices. It is complete for the doctors that this process follows."""

    async def follow(self, doctor_id: str) -> int:
        """Guarantee a complete feed of this doctor from now on. Returns the `seq` after which no notice is missing.

        That is the `seq` of the last delivered notice, or of the doctor in the record. From there on the feed fills
        each gap from the record. Calls are counted: each `follow` needs one `unfollow`. Notices of other doctors, and
        undelivered ones up to the returned `seq`, are delivered once, if they arrive.
        """

    def unfollow(self, doctor_id: str) -> None:
        """Undo one `follow`."""

    def told(self, notice: Notice) -> None:
        """Take a notice from the reply to a command of this process, before the bus delivers it."""

    @property
    def state(self) -> FeedState:
        """How far this process can rely on the feed now."""


OnSessionEnded = Callable[[SessionEnded], None]
"""Called for each session that a process announces as ended, perhaps more than once. It must not block."""


class SessionAnnouncer(Protocol):
    """Tells all api processes at once that a session has ended."""

    async def announce(self, ended: SessionEnded) -> None:
        """Announce the end of a session. It raises nothing: a process that misses it reads it from the record."""
