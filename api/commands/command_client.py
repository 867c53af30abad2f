"""Sends a command to the actor of its doctor, and returns the actor's answer."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Generic, TypedDict, TypeVar

import structlog

from api.http.problems import RETRY_SOON, Problem, refused
from api.metrics import COMMAND_SECONDS, COMMANDS
from hub.accounts.identity import Identity
from hub.bus.messages import Notice
from hub.bus.ports import Commands, NoAnswer
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from hub.scheduling.decision import Refused
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Actor, Via
from hub.scheduling.views import AppointmentView, EntryView

log = structlog.get_logger()

T = TypeVar("T")


class Header(TypedDict):
    """The fields that every command has."""

    id: str
    doctor_id: str
    by: Actor
    at: datetime
    expires: datetime


@dataclass(frozen=True)
class Done(Generic[T]):
    """A command that was carried out, and what it made of its appointment or schedule: the state right after it.

    `replayed`: it had been carried out before this request, under the same key. Much may have changed since.
    """

    value: T
    replayed: bool
    position: Mapping[str, int] = field(default_factory=dict)
    """The last `seq` that the command caused, by doctor: from there on its client has to see the change."""


class CommandClient:
    """Makes the headers of commands, and sends commands over the bus.

    A `key` makes a command idempotent: the same user and key give the same command id in every process, at any time.
    """

    def __init__(
        self, commands: Commands, clock: Clock, lifetime: timedelta, on_reply: Callable[[Iterable[Notice]], None]
    ) -> None:
        """Take `lifetime`, the time after which an actor does not carry out a command any more.

        `on_reply` is called with the notices of each reply, before `send` returns.
        """
        self._commands = commands
        self._clock = clock
        self._lifetime = lifetime
        self._on_reply = on_reply

    def header(self, who: Identity, doctor_id: str, via: Via, key: str | None) -> Header:
        """Return the header of a command that this person gives now."""
        at = self._clock()
        return {
            "id": command_id(who, key),
            "doctor_id": doctor_id,
            "by": Actor(id=who.user_id, role=who.role, via=via),
            "at": at,
            "expires": at + self._lifetime,
        }

    async def send(self, command: Command) -> Done[AppointmentView | Schedule | EntryView]:
        """Send the command and return its outcome. Raises `Problem` for a refusal, `NoAnswer` when no reply comes."""
        began = perf_counter()
        outcome = "failed"
        try:
            reply = await self._commands.ask(command)
            self._on_reply(reply.notices)
            result = reply.result
            outcome = result.code.value if isinstance(result, Refused) else "done"
        except NoAnswer:
            outcome = "no_answer"
            raise
        finally:
            _record(command, outcome, perf_counter() - began)
        if isinstance(result, Refused):
            raise refused(result)
        position = {notice.doctor_id: notice.event.seq for notice in reply.notices}
        return Done(result, reply.replayed, position)


def command_id(who: Identity, key: str | None) -> str:
    """Return the command id of this user and key, which is always the same; a new id without a key."""
    return new_id() if key is None else derived_id(who.user_id, key)


async def stored(reading: Awaitable[T]) -> T:
    """Await a read that comes before a command is sent.

    Raises `Problem` try_again when the database does not answer: nothing was carried out, so to send again is safe.
    """
    try:
        return await reading
    except StoreUnavailable as error:
        raise Problem("try_again", "The database does not answer; nothing was changed.", headers=RETRY_SOON) from error


def _record(command: Command, outcome: str, seconds: float) -> None:
    by = command.by
    COMMANDS.labels(command.kind, by.via, outcome).inc()
    COMMAND_SECONDS.labels(command.kind, by.via).observe(seconds)
    log.info(
        "command",
        command_id=command.id,
        kind=command.kind,
        via=by.via,
        user_id=by.id,
        doctor_id=command.doctor_id,
        outcome=outcome,
        ms=round(seconds * 1000, 2),
    )
