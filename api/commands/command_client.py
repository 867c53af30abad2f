"""From what somebody signed in asks to a command, and to the answer of the doctor's actor."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from time import perf_counter
from typing import TypedDict, TypeVar

import structlog

from api.http.problems import RETRY_SOON, Problem, refused
from api.metrics import COMMAND_SECONDS, COMMANDS
from hub.accounts.identity import Identity
from hub.bus.messages import Declined, Done, TimetableDone
from hub.bus.ports import Commands, NoAnswer
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from hub.scheduling.values import Actor, Via

log = structlog.get_logger()

PATIENCE = timedelta(seconds=15)
"""A command that no actor has met by then is not carried out any more: its sender was told to try again.

Longer by the clock where that runs faster than the machine's.
"""

T = TypeVar("T")


class Header(TypedDict):
    """What every command has, whatever it wants."""

    id: str
    doctor_id: str
    by: Actor
    at: datetime
    expires: datetime


class CommandClient:
    """The way to the actors. `key` makes an ask repeatable.

    The same user and key give the same command id in every process, at any time.
    """

    def __init__(self, commands: Commands, clock: Clock, patience: timedelta = PATIENCE) -> None:
        self._commands = commands
        self._clock = clock
        self._patience = patience

    def header(self, who: Identity, doctor_id: str, via: Via, key: str | None) -> Header:
        """Return the header of a command that somebody gives now."""
        at = self._clock()
        return {
            "id": command_id(who, key),
            "doctor_id": doctor_id,
            "by": Actor(id=who.user_id, role=who.role, via=via),
            "at": at,
            "expires": at + self._patience,
        }

    async def send(self, command: Command) -> Done | TimetableDone:
        """Send the command and return what its actor says. Raises `Problem` when that is no, `NoAnswer` for nothing."""
        began = perf_counter()
        outcome = "failed"
        try:
            reply = await self._commands.ask(command)
            outcome = reply.code.value if isinstance(reply, Declined) else "done"
        except NoAnswer:
            outcome = "no_answer"
            raise
        finally:
            _note(command, outcome, perf_counter() - began)
        if isinstance(reply, Declined):
            raise refused(reply.code, reply.detail)
        return reply


def command_id(who: Identity, key: str | None) -> str:
    """Return the id of the command that somebody asks for under a key: always the same, or a new one without a key."""
    return new_id() if key is None else derived_id(who.user_id, key)


async def stored(reading: Awaitable[T]) -> T:
    """Await a read on a command's way: without the database nothing was carried out, so the client may try again."""
    try:
        return await reading
    except StoreUnavailable as error:
        raise Problem("try_again", "The database does not answer; nothing was changed.", headers=RETRY_SOON) from error


def _note(command: Command, outcome: str, seconds: float) -> None:
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
