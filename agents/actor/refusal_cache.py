"""The refusals of the last seconds, so that older copies of a refused command are refused as well.

The api sends a command again when no answer comes, and a reply may be late. Then a copy is still on its way when the
client is told of the refusal. Decided anew, that copy might be granted because the slot is free by now, and a client
who was refused would have an appointment. The same holds for a client who has given up waiting at one api process and
was refused at another: what the first one still asks for was asked before that. Granted commands need no cache: the
record has the command's id.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from hub.clock import Clock
from hub.scheduling.commands import Command
from hub.scheduling.decision import RefusalCode, Refused


@dataclass(frozen=True)
class _Entry:
    """The refusal of a command that was asked for at `asked_at`. No copy of it is carried out after `until`."""

    command_id: str
    asked_at: datetime
    until: datetime
    refused: Refused


class RefusalCache:
    """The refusals of one worker, each kept until no copy of its command is carried out any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: dict[str, _Entry] = {}
        self._oldest_first: deque[_Entry] = deque()

    def get(self, command: Command) -> Refused | None:
        """Return how the command was refused; None when it was not, or is asked anew since."""
        latest = self._latest.get(command.id)
        return latest.refused if latest and command.asked <= latest.asked_at else None

    def add(self, command: Command, refused: Refused) -> None:
        """Keep a refusal.

        A command that never expires is the hub's own: no client is told of it, so it is left out. So is what has
        expired, because it stays so: the api issues it again, and that is decided.
        """
        now = self._clock()
        while self._oldest_first and self._oldest_first[0].until < now:
            over = self._oldest_first.popleft()
            if self._latest.get(over.command_id) is over:
                del self._latest[over.command_id]
        if command.expires is not None and refused.code is not RefusalCode.EXPIRED:
            # Another api process may issue a copy again while it waits for the answer: for less than a command's life.
            until = command.expires + (command.expires - command.at)
            entry = self._latest[command.id] = _Entry(command.id, command.asked, until, refused)
            self._oldest_first.append(entry)

    def clear(self) -> None:
        """Forget everything: after a rebalance another worker may have granted a copy."""
        self._latest.clear()
        self._oldest_first.clear()
