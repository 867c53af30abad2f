"""Commands as a client gives them: each with a key, repeated under the same key until the hub decides it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from hub.client.answers import NO_ANSWER, UNDECIDED, Answer, Granted, Outcome, Refusal, Silence
from hub.clock import Clock
from hub.ids import derived_id, new_id

Kind = Literal["book", "confirm", "cancel", "complete", "reschedule"]
Via = Literal["rest", "socket"]

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Who:
    """Somebody signed in."""

    id: str
    role: Literal["doctor", "patient"]
    name: str


@dataclass(frozen=True)
class Wish:
    """What a command is about: a doctor's slot (book), an appointment (the others), or both (reschedule).

    Only a doctor who books names the patient.
    """

    kind: Kind
    doctor_id: str | None = None
    appointment_id: str | None = None
    start: datetime | None = None
    patient_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Ask:
    """One command: who wants what, under which key, by which way, first sent when."""

    who: Who
    wish: Wish
    key: str
    via: Via
    at: datetime

    @property
    def command_id(self) -> str:
        """The id that the command has inside the hub; the same for the same person and key, whichever the way."""
        return derived_id(self.who.id, self.key)


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for a command: `in_all` over all its sendings, `each` for one (the hub says something in 10)."""

    in_all: float = 30.0
    each: float = 12.0


class Way(Protocol):
    """A way on which commands reach the hub."""

    @property
    def via(self) -> Via:
        """Which one it is."""

    async def send(self, ask: Ask, within: float) -> Outcome:
        """Send the command once and return what came back within so many seconds."""


class Witness(Protocol):
    """Is told of every command and its answer."""

    def asked(self, ask: Ask) -> None:
        """Hear of a command that is about to be sent for the first time."""

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Hear what it came to; never called when its caller gave up waiting."""


class Commands:
    """One person's commands on one way. `key` makes it the same command as another one with that key."""

    def __init__(self, who: Who, way: Way, witness: Witness, clock: Clock, patience: Patience) -> None:
        self._who = who
        self._way = way
        self._witness = witness
        self._clock = clock
        self._patience = patience

    async def book(
        self,
        doctor_id: str,
        start: datetime,
        *,
        reason: str | None = None,
        patient_id: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Book the doctor's slot at `start`; a doctor says for which patient."""
        wish = Wish("book", doctor_id=doctor_id, start=start, patient_id=patient_id, reason=reason)
        return await self.ask(wish, key)

    async def confirm(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Say that the patient will come."""
        return await self.ask(Wish("confirm", appointment_id=appointment_id), key)

    async def cancel(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Call the appointment off."""
        return await self.ask(Wish("cancel", appointment_id=appointment_id), key)

    async def complete(self, appointment_id: str, *, key: str | None = None) -> Answer:
        """Say that the patient was there; for doctors."""
        return await self.ask(Wish("complete", appointment_id=appointment_id), key)

    async def reschedule(self, appointment_id: str, start: datetime, *, key: str | None = None) -> Answer:
        """Move the appointment to another slot of the same doctor."""
        return await self.ask(Wish("reschedule", appointment_id=appointment_id, start=start), key)

    async def ask(self, wish: Wish, key: str | None = None) -> Answer:
        """Send a command, again and again under one key while the hub leaves it undecided, until patience ends."""
        ask = Ask(self._who, wish, key or new_id(), self._way.via, self._clock())
        self._witness.asked(ask)
        answer = await self._until_decided(ask)
        self._witness.answered(ask, answer)
        return answer

    async def _until_decided(self, ask: Ask) -> Answer:
        now = asyncio.get_running_loop().time
        began = now()
        give_up_at = began + self._patience.in_all
        attempts = 0
        while True:
            attempts += 1
            outcome = await self._way.send(ask, min(self._patience.each, give_up_at - now()))
            pause = _pause_after(outcome, attempts)
            if pause is None or now() + pause >= give_up_at:
                return _answer(ask, outcome, attempts, now() - began, self._clock())
            await asyncio.sleep(pause)


def _pause_after(outcome: Outcome, attempts: int) -> float | None:
    """Return the seconds to wait before the same command is sent again; None when the hub has decided it."""
    if isinstance(outcome, Granted) or (isinstance(outcome, Refusal) and outcome.code not in UNDECIDED):
        return None
    if isinstance(outcome, Refusal) and outcome.retry_after is not None:
        return outcome.retry_after
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * attempts)


def _answer(ask: Ask, outcome: Outcome, attempts: int, seconds: float, at: datetime) -> Answer:
    answer = partial(Answer, key=ask.key, attempts=attempts, seconds=seconds, at=at)
    match outcome:
        case Granted(appointment=appointment, status=status):
            return answer(ok=True, appointment=appointment, code=None, detail=None, status=status)
        case Refusal(code=code, detail=detail, status=status):
            return answer(ok=False, appointment=None, code=code, detail=detail, status=status)
        case Silence(cause=cause):
            return answer(ok=False, appointment=None, code=NO_ANSWER, detail=cause, status=None)
