"""Request and reply: sends a command and resends it until its reply arrives."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from prometheus_client import Gauge

from hub.bus.messages import Reply
from hub.bus.ports import NoAnswer
from hub.bus.signatures import NOT_SIGNED
from hub.clock import Clock
from hub.scheduling.commands import Command, CommandAdapter, fingerprint
from hub.scheduling.decision import RefusalCode, Refused

log = structlog.get_logger(__name__)
WAITING = Gauge("clinic_commands_waiting", "Commands that wait for the reply of an actor.")

_REISSUE_DELAY = 0.05
"""Seconds before an expired command is issued again with a new time."""


@dataclass(frozen=True)
class RequestTimeouts:
    """Timeouts of a request, in seconds.

    `resend_after`: a command without a reply is sent again after this time, and then after twice this time each. So a
    reply that was lost while a doctor moved to another worker is replaced soon, and agents that were silent for longer
    do not find a pile of copies.
    `give_up_after`: the caller gets `NoAnswer` after this time.
    """

    resend_after: float = 1.0
    give_up_after: float = 10.0


class Sender(Protocol):
    """Sends commands to the broker."""

    async def send(self, command: Command, encoded: bytes) -> None:
        """Send the command once. Raises ConnectionError if there is no connection."""


class Requests:
    """Waits for replies by command id. Concurrent callers with the same command share one reply."""

    def __init__(self, sender: Sender, clock: Clock, timeouts: RequestTimeouts) -> None:
        self._sender = sender
        self._clock = clock
        self._timeouts = timeouts
        self._answers: dict[str, tuple[datetime, asyncio.Future[Reply]]] = {}
        self._asking: dict[str, tuple[str, asyncio.Task[Reply]]] = {}
        WAITING.set_function(lambda: len(self._asking))

    async def ask(self, command: Command) -> Reply:
        """Send the command, resend it until there is a reply, and return the reply. Raises `NoAnswer`."""
        content = fingerprint(command)
        joins = command.id in self._asking
        if not joins:
            task = asyncio.create_task(self._ask(command))
            self._asking[command.id] = content, task
            task.add_done_callback(lambda done: self._remove(command.id, done))
        pending_content, pending = self._asking[command.id]
        if pending_content != content:
            refused = Refused(
                RefusalCode.IDEMPOTENCY_KEY_REUSED, "This key is in use for a different command; use a new one."
            )
            return Reply(command_id=command.id, at=command.at, result=refused)
        # Shielded: other callers may await the same command, and it is already on the bus.
        reply = await asyncio.shield(pending)
        if joins and not isinstance(reply.result, Refused):
            return reply.model_copy(update={"replayed": True})  # the command of the first caller did it
        return reply

    def on_reply(self, reply: Reply) -> None:
        """Give a reply to the caller that waits for it. A late or repeated reply is ignored.

        The refusal of a signature is ignored, too. Either an agents process does not have our key yet, and the next one
        may have it; or a stranger has copied the command, and the reply to our own is still to come.
        """
        issued_at, answer = self._answers.get(reply.command_id, (None, None))
        if reply.result == NOT_SIGNED:
            log.error(
                "signature_refused", command_id=reply.command_id, reason="do agents have the same JWT_SECRET_KEY?"
            )
            return
        # Ignore a late refusal of an earlier issue: the command has been issued again since and may be accepted.
        stale = isinstance(reply.result, Refused) and reply.at != issued_at
        if answer is not None and not answer.done() and not stale:
            answer.set_result(reply)

    async def _ask(self, command: Command) -> Reply:
        give_up_at = asyncio.get_running_loop().time() + self._timeouts.give_up_after
        try:
            while True:
                reply = await self._send_until_answered(command, give_up_at)
                if not (isinstance(reply.result, Refused) and reply.result.code is RefusalCode.EXPIRED):
                    return reply
                # The actor moved to another worker, which does not know whether the command was refused before. We know
                # that the caller has received no reply, so it is safe to issue the command again.
                await asyncio.sleep(_REISSUE_DELAY)
                command = _reissued(command, self._clock())
        finally:
            self._answers.pop(command.id, None)

    async def _send_until_answered(self, command: Command, give_up_at: float) -> Reply:
        """Send one issue of a command until it is answered."""
        loop = asyncio.get_running_loop()
        encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
        answer: asyncio.Future[Reply] = loop.create_future()
        self._answers[command.id] = command.at, answer
        wait = self._timeouts.resend_after
        while (left := give_up_at - loop.time()) > 0:
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(min(wait, left)):
                    await self._sender.send(command, encoded)
            await asyncio.wait([answer], timeout=min(wait, left))
            if answer.done():
                return answer.result()
            wait = 2 * self._timeouts.resend_after
        raise NoAnswer(f"no agent answered within {self._timeouts.give_up_after:.0f} s")

    def _remove(self, command_id: str, done: asyncio.Task[Reply]) -> None:
        del self._asking[command_id]
        if not done.cancelled():
            done.exception()  # mark it as retrieved: all callers may have been cancelled


def _reissued(command: Command, now: datetime) -> Command:
    """Return the command with the current time and as much time to be carried out as before."""
    expires = command.expires and now + (command.expires - command.at)
    return command.model_copy(update={"at": now, "expires": expires, "asked_at": command.asked})
