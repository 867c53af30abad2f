"""Request and reply: a command out, its answer back, repeated while nobody answers."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from prometheus_client import Gauge

from hub.bus.messages import Declined, Reply
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.scheduling.commands import Command, CommandAdapter, fingerprint
from hub.scheduling.decision import RefusalCode

WAITING = Gauge("clinic_commands_waiting", "Commands that wait for the answer of an actor.")

REPEAT_AFTER = 1.0
"""Seconds without an answer after which a command is sent again; from then on it is twice as long. So a reply that got
lost while a doctor changed hands is soon made up for, and agents that are silent for longer do not find a heap."""
GIVE_UP_AFTER = 10.0
"""Seconds that a client is made to wait in all."""
_ASK_ANEW_AFTER = 0.05
"""Seconds after which what may not be decided any more, as it was asked, is asked anew."""


class Sender(Protocol):
    """Puts a command on its way."""

    async def send(self, command: Command, encoded: bytes) -> None:
        """Send it once. Raises ConnectionError when there is no way at the moment."""


class Requests:
    """Waits for replies by command id. Callers who ask the same at the same time share one answer."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock
        self._answers: dict[str, tuple[datetime, asyncio.Future[Reply]]] = {}
        self._asking: dict[str, tuple[str, asyncio.Task[Reply]]] = {}
        WAITING.set_function(lambda: len(self._asking))

    async def ask(self, command: Command) -> Reply:
        """Send the command, repeat it while nobody answers, return the answer. Raises `NoAnswer` after 10 s."""
        asked = fingerprint(command)
        if command.id not in self._asking:
            task = asyncio.create_task(self._ask(command))
            self._asking[command.id] = asked, task
            task.add_done_callback(lambda done: self._asked(command.id, done))
        same, asking = self._asking[command.id]
        if same != asked:
            return Declined(
                command_id=command.id,
                code=RefusalCode.IDEMPOTENCY_KEY_REUSED,
                detail="This key is in use for a different command; use a new one.",
            )
        return await asyncio.shield(
            asking
        )  # a client that hangs up takes nothing from the others, nor the command back

    def answered(self, reply: Reply) -> None:
        """Give a reply to whoever waits for it; nobody does any more when it comes late or twice."""
        asked_at, answer = self._answers.get(reply.command_id, (None, None))
        # A late refusal of what was asked before says nothing: the same has been asked anew and may be granted.
        late = isinstance(reply, Declined) and reply.at is not None and reply.at != asked_at
        if answer is not None and not answer.done() and not late:
            answer.set_result(reply)

    async def _ask(self, command: Command) -> Reply:
        give_up_at = asyncio.get_running_loop().time() + GIVE_UP_AFTER
        try:
            while True:
                reply = await self._asked_once(command, give_up_at)
                if not (isinstance(reply, Declined) and reply.code is RefusalCode.EXPIRED):
                    return reply
                # Its actor has gone to another worker, which does not know whether this was refused. We do: nobody
                # has been told anything.
                await asyncio.sleep(_ASK_ANEW_AFTER)
                command = _anew(command, self._clock())
        finally:
            self._answers.pop(command.id, None)

    async def _asked_once(self, command: Command, give_up_at: float) -> Reply:
        """Send a command, as it was asked at one time, until somebody answers."""
        loop = asyncio.get_running_loop()
        encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
        answer: asyncio.Future[Reply] = loop.create_future()
        self._answers[command.id] = command.at, answer
        patience = REPEAT_AFTER
        while (left := give_up_at - loop.time()) > 0:
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(min(patience, left)):
                    await self._sender.send(command, encoded)
            await asyncio.wait([answer], timeout=min(patience, left))
            if answer.done():
                return answer.result()
            patience = 2 * REPEAT_AFTER
        raise NoAnswer(f"no agent answered within {GIVE_UP_AFTER:.0f} s")

    def _asked(self, command_id: str, done: asyncio.Task[Reply]) -> None:
        del self._asking[command_id]
        if not done.cancelled():
            done.exception()  # whoever still waits is told; if all have hung up, nobody is


def _anew(command: Command, now: datetime) -> Command:
    """Return the command as it is asked now, with as much time to be carried out."""
    expires = command.expires and now + (command.expires - command.at)
    return command.model_copy(update={"at": now, "expires": expires})
