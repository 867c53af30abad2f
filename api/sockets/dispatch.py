"""From an event to its ack: the order of a client's commands, the checks before each, and the errors."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

import structlog

from api.http.access_log import CALLER, Caller
from api.http.problems import Problem, problem_of
from api.http.rate_limits import WriteRateLimit
from api.metrics import EVENT_SECONDS, EVENTS
from api.sockets.commands import Fields, Handlers, SocketCommand
from api.sockets.inbound import read
from api.sockets.limits import Limits
from api.sockets.session import Disconnected, Session
from hub.ids import new_id

log = structlog.get_logger(__name__)


class Dispatch:
    """Runs the commands of each client in the order in which they arrived, and answers every one with an ack."""

    def __init__(  # assembled once
        self,
        commands: Iterable[SocketCommand],
        handlers: Handlers,
        require_login: Callable[[Session], None],
        write_rate_limit: WriteRateLimit,
        limits: Limits,
    ) -> None:
        """`require_login` raises `Problem` for a session whose log-in has ended."""
        self.commands = {command.name: command for command in commands}
        self._handlers = handlers
        self._require_login = require_login
        self._write_rate_limit = write_rate_limit
        self._limits = limits
        self._running: set[asyncio.Task[Any]] = set()
        self.draining = False

    async def run(self, session: Session, event: str, args: Sequence[object]) -> dict[str, object]:
        """Run the command of an event; return its ack, `{ok: true, …}` or `{ok: false, error: {code, detail, …}}`.

        The library starts a task for each event in the order of arrival, so the lock is taken in that order. It queues
        the ack without suspending after this returns, so acks have that order too.
        """
        session.pending += 1
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)  # the task is done once its ack is queued, not before
        request_id = new_id()  # not the id of the request that opened the socket
        structlog.contextvars.bind_contextvars(request_id=request_id)
        CALLER.set(Caller(session.address, request_id))
        began, outcome = perf_counter(), "done"
        try:
            command = self._admit(session, event)
            async with session.turn:
                return {"ok": True, **await self._call(command, session, args)}
        # For an error the library would send no ack, and for a cancellation an ack that looks like a success.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # where errors end: each becomes an ack
            body = error_body(error, event)
            outcome = str(body["code"])
            return {"ok": False, "error": body}
        finally:
            session.pending -= 1
            self._record(event, session, outcome, perf_counter() - began)

    async def drain(self, within: float) -> None:
        """Refuse new commands; return when the running ones are answered, or after `within` seconds."""
        self.draining = True
        if self._running:
            await asyncio.wait(set(self._running), timeout=within)

    def _admit(self, session: Session, event: str) -> SocketCommand:
        """Return the command of an event. Raises `Problem` if the client may not send it now."""
        command = self.commands.get(event)
        if command is None:
            raise Problem("unknown_event", "There is no such event.")
        self._require_login(session)
        if self.draining:
            raise Problem("draining", "This server is about to stop; connect again and send the same again.")
        if session.pending > self._limits.pending:
            raise Problem("busy", f"At most {self._limits.pending} commands wait at once; send it again later.")
        if session.backlog > self._limits.unread:
            raise Problem("busy", "Read first what you have been told; send it again later.")
        return command

    async def _call(self, command: SocketCommand, session: Session, args: Sequence[object]) -> Fields:
        identity = session.identity
        if command.writes:
            self._write_rate_limit.count(identity.user_id, session.address)
        request = read(command.request, args)
        command.access.require(identity.role)
        return await command.handler(self._handlers, session, request)

    def _record(self, event: str, session: Session, outcome: str, seconds: float) -> None:
        name = event if event in self.commands else "unknown"  # any other name is text of the client's
        EVENTS.labels(name, outcome).inc()
        EVENT_SECONDS.labels(name).observe(seconds)
        user_id = session.identity.user_id
        log.info("socket_event", socket_event=name, user_id=user_id, outcome=outcome, ms=round(seconds * 1000, 2))


def error_body(error: BaseException, event: str) -> dict[str, object]:
    """Return what a client is sent for an error: `{code, detail, errors?, retryAfter?, appointmentId?}`.

    An unexpected error is logged; the client is sent nothing of it.
    """
    problem = _problem(error)
    if problem.code == "internal":
        log.error("socket_event_failed", socket_event=event, exc_info=error)
    body: dict[str, object] = {"code": problem.code, "detail": problem.detail}
    if problem.errors is not None:
        body["errors"] = [
            {"pointer": field.pointer, "detail": field.detail, "code": field.code} for field in problem.errors
        ]
    if problem.appointment_id is not None:
        body["appointmentId"] = problem.appointment_id
    if problem.code == "too_many_requests" and problem.headers:
        body["retryAfter"] = int(problem.headers["Retry-After"])
    return body


def _problem(error: BaseException) -> Problem:
    match error:
        case Disconnected():
            return Problem("unauthenticated", "The connection has ended.")
        case asyncio.CancelledError():
            return Problem("try_again", "This server stopped meanwhile. Sending the same again is safe.")
        case TimeoutError():
            return Problem("unavailable", "A part of the hub does not answer.")
        case Exception():
            return problem_of(error)
        case _:
            raise error
