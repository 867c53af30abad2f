"""The users of the demo: the seeded doctors and patients, and guests, who sign up in the first demo."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.client.answers import NoResponse, Problem
from hub.client.clinic import Clinic
from hub.client.member import Member
from hub.ops.seeding.people import Person

_AT_ONCE = 4
"""How many sign in at the same time: the hub checks two passwords at once, so more would only wait there."""
_WAIT_IN_ALL = 150.0
"""Seconds to wait when the hub lets no more in: it counts log-ins by the minute. Its hour for sign-ups is too long."""
_AREA_CODES = (808, 907)
_LINES = 100

P = TypeVar("P")
Entered = Member | Problem | NoResponse


class CannotBegin(Exception):
    """There will be no morning; the message says why, and what to do."""


@dataclass(frozen=True)
class Newcomer:
    """A patient who is not in the seed."""

    name: str
    email: str
    phone: str
    password: str


def newcomers(count: int) -> list[Newcomer]:
    """Return made-up patients (200 at most), the same ones every morning, with phone numbers that belong to nobody."""
    return [
        Newcomer(
            name=f"Demo Guest {number + 1}",
            email=f"morning{number + 1}@clinic.test",
            phone=f"+1{_AREA_CODES[number // _LINES]}55501{number % _LINES:02d}",
            password=f"Morning#{number + 1}",
        )
        for number in range(count)
    ]


class Entrance:
    """Signs people in. `say` is told when it takes longer, `arrived` is called for each who is in.

    Every method raises `CannotBegin` when somebody cannot get in.
    """

    def __init__(self, clinic: Clinic, say: Callable[[str], None], arrived: Callable[[], None]) -> None:
        self._clinic = clinic
        self._say = say
        self._arrived = arrived
        self._waiting = False

    async def log_in(self, person: Person) -> Member:
        """Sign in somebody of the seed."""
        entered = await self._patiently(lambda: self._clinic.log_in(person.role, person.email, person.password))
        if isinstance(entered, Problem) and entered.code == "invalid_credentials":
            raise CannotBegin(
                f"{person.email} cannot log in: the demo needs the seeded clinic.\n"
                "`make run` seeds an empty database on this machine; `make seed` fills the one that MONGODB_URL names.",
            )
        return self._member(entered, person.email)

    async def log_in_all(self, people: Sequence[Person]) -> list[Member]:
        """Sign in people of the seed, a few at a time."""
        return await _a_few_at_a_time(people, self.log_in)

    async def welcome_all(self, guests: Sequence[Newcomer]) -> list[Member]:
        """Sign in newcomers, signing up who was never here, a few at a time."""
        # All of them were here before, or none: the first tells which door to try first, for each try takes a while.
        known = isinstance(await self._log_in(guests[0]), Member) if guests else False

        async def welcome(guest: Newcomer) -> Member:
            return await self._welcome(guest, known=known)

        return await _a_few_at_a_time(guests, welcome)

    async def _welcome(self, guest: Newcomer, *, known: bool) -> Member:
        if known:
            entered = await self._log_in(guest)
            if isinstance(entered, Problem) and entered.code == "invalid_credentials":
                entered = await self._sign_up(guest)
        else:
            entered = await self._sign_up(guest)
            if isinstance(entered, Problem) and entered.code == "email_taken":
                entered = await self._log_in(guest)
        return self._member(entered, guest.email)

    async def _log_in(self, guest: Newcomer) -> Entered:
        return await self._patiently(lambda: self._clinic.log_in("patient", guest.email, guest.password))

    async def _sign_up(self, guest: Newcomer) -> Entered:
        return await self._patiently(lambda: self._clinic.sign_up(guest.name, guest.email, guest.phone, guest.password))

    async def _patiently(self, sign_in: Callable[[], Awaitable[Entered]]) -> Entered:
        """Try again after each pause that the hub asks for, as long as that is not too long in all."""
        now = asyncio.get_running_loop().time
        give_up_at = now() + _WAIT_IN_ALL
        while True:
            entered = await sign_in()
            if not isinstance(entered, Problem) or entered.code != "too_many_requests":
                return entered
            pause = entered.retry_after or 1.0
            if now() + pause > give_up_at:
                return entered
            if not self._waiting:
                self._waiting = True
                self._say("The hub lets in only so many people a minute; waiting for the next minute.")
            await asyncio.sleep(pause)

    def _member(self, entered: Entered, email: str) -> Member:
        match entered:
            case Member():
                self._arrived()
                return entered
            case Problem(code="too_many_requests", detail=detail):
                raise CannotBegin(
                    f"{email} may not sign in now: {detail}\n"
                    "LOGINS_PER_MINUTE_PER_ADDRESS and SIGNUPS_PER_HOUR_PER_ADDRESS of the hub say how many may.",
                )
            case Problem(code=code, detail=detail):
                raise CannotBegin(f"{email} cannot sign in: {code} {detail}")
            case NoResponse(cause=cause):
                raise CannotBegin(f"{email} cannot sign in: no answer ({cause})")


async def _a_few_at_a_time(people: Sequence[P], enter: Callable[[P], Awaitable[Member]]) -> list[Member]:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def take_turn(person: P) -> Member:
        async with turn:
            return await enter(person)

    try:
        async with asyncio.TaskGroup() as group:
            entering = [group.create_task(take_turn(person)) for person in people]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # one message will do; the others say the same
    return [task.result() for task in entering]
