"""From an event to its ack: whose turn it is, and what is said when something goes wrong."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import structlog

from api.http.problems import Problem, problem_of
from api.metrics import EVENT_SECONDS, EVENTS
from api.sockets.appointments import Command
from api.sockets.limits import Limits
from api.sockets.session import Client
from api.sockets.subscriptions import Gone
from hub.ids import new_id

log = structlog.get_logger(__name__)


class Dispatch:
    """Carries out what clients ask: for each in the order of the asks, and never without an answer."""

    def __init__(
        self,
        commands: Mapping[str, Command],
        admits: Callable[[Client], None],
        waiting: Callable[[str], int],
        limits: Limits,
    ) -> None:
        """Know the commands by event name; `waiting` says how many packets a client has not read yet.

        `admits` raises `Problem` for a client that may ask nothing any more.
        """
        self._admits = admits
        self._commands = commands
        self._waiting = waiting
        self._limits = limits
        self._carrying_out: set[asyncio.Task[Any]] = set()
        self.draining = False

    async def ack(self, client: Client, event: str, args: Sequence[object]) -> dict[str, object]:
        """Carry out an event; return its ack, `{ok: true, …}` or `{ok: false, error: {code, detail, …}}`.

        The library starts a task for each event, in the order they came, so the lock gives them their turns in that
        order; and it puts the ack on the queue without suspending after this returns, so acks keep it too.
        """
        client.pending += 1
        task = asyncio.current_task()
        if task is not None:
            self._carrying_out.add(task)
            task.add_done_callback(self._carrying_out.discard)  # done when the ack is on its way, not before
        structlog.contextvars.bind_contextvars(request_id=new_id())  # not that of the request which opened the socket
        began, outcome = perf_counter(), "done"
        try:
            command = self._command(event, client)
            async with client.turn:
                return {"ok": True, **await command(client, args)}
        # The library would ack nothing to an error, and to a cancellation what looks like a success.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # where errors end: each becomes an ack
            why = said(error, event)
            outcome = str(why["code"])
            return {"ok": False, "error": why}
        finally:
            client.pending -= 1
            self._note(event, client, outcome, perf_counter() - began)

    async def drain(self, within: float) -> None:
        """Take no new commands, and return when those in flight are answered, or after `within` seconds."""
        self.draining = True
        if self._carrying_out:
            await asyncio.wait(set(self._carrying_out), timeout=within)

    def _note(self, event: str, client: Client, outcome: str, seconds: float) -> None:
        known = event if event in self._commands else "unknown"  # the name of any other is the client's text
        EVENTS.labels(known, outcome).inc()
        EVENT_SECONDS.labels(known).observe(seconds)
        user_id = client.identity.user_id
        log.info("socket_event", socket_event=known, user_id=user_id, outcome=outcome, ms=round(seconds * 1000, 2))

    def _command(self, event: str, client: Client) -> Command:
        """Return what carries out the event. Raises `Problem` when this client may not ask for it now."""
        command = self._commands.get(event)
        if command is None:
            raise Problem("unknown_event", "There is no such event.")
        self._admits(client)
        if self.draining:
            raise Problem("draining", "This server is about to stop; connect again and send the same again.")
        if client.pending > self._limits.pending:
            raise Problem("busy", f"At most {self._limits.pending} commands wait at once; send it again later.")
        if self._waiting(client.sid) > self._limits.unread:
            raise Problem("busy", "Read first what you have been told; send it again later.")
        return command


def said(error: BaseException, event: str) -> dict[str, object]:
    """Return what a client is told of an error: `{code, detail, errors?, retryAfter?}`.

    Logs what only we may know of it.
    """
    problem = _problem(error)
    if problem.code == "internal":
        log.error("socket_event_failed", socket_event=event, exc_info=error)
    told: dict[str, object] = {"code": problem.code, "detail": problem.detail}
    if problem.errors is not None:
        told["errors"] = [
            {"pointer": field.pointer, "detail": field.detail, "code": field.code} for field in problem.errors
        ]
    if problem.code == "too_many_requests" and problem.headers:
        told["retryAfter"] = int(problem.headers["Retry-After"])
    return told


def _problem(error: BaseException) -> Problem:
    match error:
        case Gone():
            return Problem("unauthenticated", "The connection has ended.")
        case asyncio.CancelledError():
            return Problem("try_again", "This server stopped meanwhile. Sending the same again is safe.")
        case TimeoutError():
            return Problem("unavailable", "A part of the hub does not answer.")
        case Exception():
            return problem_of(error)
        case _:
            raise error
