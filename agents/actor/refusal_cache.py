"""What has been refused lately, so that older copies of the same command are answered alike.

The api sends an unanswered command again, and a reply may be late: then a copy is still on its way when the client is
told no. Decided anew, that copy might be granted, because the slot is free by now, and somebody who was refused would
have an appointment. What has been granted needs no such memory: the record knows it by the command's id.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from hub.bus.messages import Declined, Reply
from hub.clock import Clock
from hub.scheduling.commands import Command


@dataclass(frozen=True)
class _Refusal:
    """How an asking was refused, and until when copies of it may come."""

    asked_at: datetime
    until: datetime
    reply: Declined


class Refusals:
    """The refusals of one worker, each kept until no copy of its command is carried out any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, _Refusal] = {}
        self._in_turn: deque[_Refusal] = deque()

    def of(self, command: Command) -> Declined | None:
        """Return how the command was refused, unless it has been asked anew since."""
        last = self._last.get(command.id)
        if last is None or command.at > last.asked_at:
            return None
        return last.reply.model_copy(update={"at": command.at})

    def note(self, command: Command, reply: Reply) -> None:
        """Remember a refusal. Of commands that never expire nobody is told, so they are left out."""
        now = self._clock()
        while self._in_turn and self._in_turn[0].until < now:
            over = self._in_turn.popleft()
            if self._last.get(over.reply.command_id) is over:
                del self._last[over.reply.command_id]
        if isinstance(reply, Declined) and command.expires is not None:
            refusal = self._last[command.id] = _Refusal(command.at, command.expires, reply)
            self._in_turn.append(refusal)

    def forget(self) -> None:
        """Forget everything: after a rebalance another worker may have granted a copy."""
        self._last.clear()
        self._in_turn.clear()
