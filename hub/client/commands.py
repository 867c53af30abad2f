"""Commands of a client. Each has a key and is sent again under the same key until the hub decides it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from hub.client.answers import NO_ANSWER, UNDECIDED, Answer, Granted, NoResponse, Outcome, Problem
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.scheduling.values import AccountRole

Kind = Literal[
    "book", "confirm", "cancel", "complete", "reschedule", "check_in", "call_in", "undo_visit", "accept", "decline"
]
Via = Literal["rest", "socket"]

FIRST_PAUSE = 0.1
"""Seconds before the second attempt. Later pauses are longer, up to `Timeouts.longest_pause`."""


@dataclass(frozen=True)
class User:
    """A signed-in user."""

    id: str
    role: AccountRole
    name: str


@dataclass(frozen=True)
class Command:
    """What to do: with a doctor's slot (book), with an appointment (the other kinds), or with both (reschedule).

    `patient_id` is set only when a doctor or a receptionist books.
    """

    kind: Kind
    doctor_id: str | None = None
    appointment_id: str | None = None
    start: datetime | None = None
    patient_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Request:
    """One command of one user: with its key, its transport and the time of the first attempt."""

    user: User
    command: Command
    key: str
    via: Via
    at: datetime

    @property
    def command_id(self) -> str:
        """The id of the command inside the hub. It depends on the user and the key, not on the transport."""
        return derived_id(self.user.id, self.key)


@dataclass(frozen=True)
class Timeouts:
    """Seconds: `total` for a command with all its attempts, `attempt` for one of them (the hub answers within 10).

    `longest_pause` limits the growing pause between two attempts.
    """

    total: float = 30.0
    attempt: float = 12.0
    longest_pause: float = 1.0


class Transport(Protocol):
    """Carries commands to the hub."""

    @property
    def via(self) -> Via:
        """The name of the transport."""

    async def send(self, request: Request, within: float) -> Outcome:
        """Send the command once and return the result, after at most `within` seconds."""


class Observer(Protocol):
    """Is notified of every command and its answer."""

    def on_request(self, request: Request) -> None:
        """Handle a command that is about to be sent for the first time."""

    def on_answer(self, request: Request, answer: Answer) -> None:
        """Handle the answer. Not called when the caller was cancelled while waiting."""


class Commands:
    """The commands of one user over one transport.

    Commands with the same `key` are the same command to the hub, which carries it out once.
    """

    def __init__(self, user: User, transport: Transport, observer: Observer, clock: Clock, timeouts: Timeouts) -> None:
        self._user = user
        self._transport = transport
        self._observer = observer
        self._clock = clock
        self._timeouts = timeouts

    async def book(
        self,
        doctor_id: str,
        start: datetime,
        *,
        reason: str | None = None,
        patient_id: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Book the doctor's slot at `start`. A doctor and a receptionist have to name the patient."""
        command = Command("book", doctor_id=doctor_id, start=start, patient_id=patient_id, reason=reason)
        return await self.send(command, key)

    async def confirm(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Confirm the appointment."""
        return await self.send(Command("confirm", appointment_id=appointment_id), key)

    async def cancel(self, appointment_id: str, *, reason: str | None = None, key: str | None = None) -> Answer:
        """Cancel the appointment. The reason is in the history, which the patient may read."""
        return await self.send(Command("cancel", appointment_id=appointment_id, reason=reason), key)

    async def complete(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Mark the appointment as completed. For doctors and receptionists."""
        return await self.send(Command("complete", appointment_id=appointment_id), key)

    async def check_in(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Record that the patient has arrived. Only for doctors."""
        return await self.send(Command("check_in", appointment_id=appointment_id), key)

    async def call_in(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Record that the patient, who has arrived, was called into the room. Only for doctors."""
        return await self.send(Command("call_in", appointment_id=appointment_id), key)

    async def undo_visit(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Undo the last step of the visit. Only for doctors."""
        return await self.send(Command("undo_visit", appointment_id=appointment_id), key)

    async def accept(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Take an offered slot; staff do it for the patient."""
        return await self.send(Command("accept", appointment_id=appointment_id), key)

    async def decline(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Pass on an offered slot."""
        return await self.send(Command("decline", appointment_id=appointment_id), key)

    async def reschedule(self, appointment_id: str, start: datetime, *, key: str | None = None) -> Answer:
        """Move the appointment to another slot of the same doctor."""
        return await self.send(Command("reschedule", appointment_id=appointment_id, start=start), key)

    async def send(self, command: Command, key: str | None = None) -> Answer:
        """Send a command, and repeat it under one key until the hub decides it or the total timeout ends."""
        request = Request(self._user, command, key or new_id(), self._transport.via, self._clock())
        self._observer.on_request(request)
        answer = await self._until_decided(request)
        self._observer.on_answer(request, answer)
        return answer

    async def _until_decided(self, request: Request) -> Answer:
        now = asyncio.get_running_loop().time
        began = now()
        give_up_at = began + self._timeouts.total
        attempts = 0
        while True:
            attempts += 1
            outcome = await self._transport.send(request, min(self._timeouts.attempt, give_up_at - now()))
            pause = _pause_after(outcome, attempts, self._timeouts.longest_pause)
            if pause is None or now() + pause >= give_up_at:
                return _answer(request, outcome, attempts, now() - began, self._clock())
            await asyncio.sleep(pause)


def _pause_after(outcome: Outcome, attempts: int, longest: float) -> float | None:
    """Return the seconds to wait before the next attempt; None when the hub has decided the command."""
    if isinstance(outcome, Granted) or (isinstance(outcome, Problem) and outcome.code not in UNDECIDED):
        return None
    if isinstance(outcome, Problem) and outcome.retry_after is not None:
        return outcome.retry_after
    return min(longest, FIRST_PAUSE * attempts)


def _answer(request: Request, outcome: Outcome, attempts: int, seconds: float, at: datetime) -> Answer:
    answer = partial(Answer, key=request.key, attempts=attempts, seconds=seconds, at=at)
    match outcome:
        case Granted(appointment=appointment, status=status, replayed=replayed):
            return answer(ok=True, appointment=appointment, code=None, detail=None, status=status, replayed=replayed)
        case Problem(code=code, detail=detail, status=status, appointment_id=appointment_id):
            return answer(
                ok=False, appointment=None, code=code, detail=detail, status=status, appointment_id=appointment_id
            )
        case NoResponse(cause=cause):
            return answer(ok=False, appointment=None, code=NO_ANSWER, detail=cause, status=None)
