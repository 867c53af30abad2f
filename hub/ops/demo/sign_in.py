"""The users of the demo: the seeded doctors and patients, and guests, who sign up in the first demo."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.client.answers import NoResponse, Problem
from hub.client.clinic import Clinic, Unconfirmed
from hub.client.member import Member
from hub.ops.seeding.people import Person

_MAX_CONCURRENT = 4
"""Sign-ins at the same time. The hub checks two passwords at a time, so more of them would only wait there."""
_MAX_WAIT = 150.0
"""Seconds to wait when the hub's rate limit is reached. Log-ins are limited per minute; sign-ups are limited per hour,
which is too long to wait for."""
_AREA_CODES = (808, 907)
_LINES = 100

P = TypeVar("P")
SignInResult = Member | Unconfirmed | Problem | NoResponse


class CannotStart(Exception):
    """The demo cannot start; the message says why, and what to do."""


@dataclass(frozen=True)
class DemoGuest:
    """A patient who is not part of the seeded clinic."""

    name: str
    email: str
    phone: str
    password: str


def demo_guests(count: int) -> list[DemoGuest]:
    """Return up to 200 invented patients, the same in every demo, with phone numbers that are reserved for fiction."""
    return [
        DemoGuest(
            name=f"Demo Guest {number + 1}",
            email=f"morning{number + 1}@clinic.test",
            phone=f"+1{_AREA_CODES[number // _LINES]}55501{number % _LINES:02d}",
            password=f"Early-bird#{number + 1}",
        )
        for number in range(count)
    ]


class SignIn:
    """Signs users in. `say` is called once if the rate limit delays it, `signed_in` after each user.

    Every method raises `CannotStart` when a user cannot sign in.
    """

    def __init__(self, clinic: Clinic, say: Callable[[str], None], signed_in: Callable[[], None]) -> None:
        self._clinic = clinic
        self._say = say
        self._signed_in = signed_in
        self._waiting = False

    async def log_in(self, person: Person) -> Member:
        """Log in a user of the seeded clinic."""
        result = await self._within_rate_limit(lambda: self._clinic.log_in(person.role, person.email, person.password))
        if isinstance(result, Problem) and result.code == "invalid_credentials":
            raise CannotStart(
                f"{person.email} cannot log in: the demo needs the seeded clinic.\n"
                "`make run` seeds an empty database on this machine; `make seed` fills the one that MONGODB_URL names.",
            )
        return self._member(result, person.email)

    async def log_in_all(self, people: Sequence[Person]) -> list[Member]:
        """Log in users of the seeded clinic, a few at a time."""
        return await _a_few_at_a_time(people, self.log_in)

    async def sign_in_all(self, guests: Sequence[DemoGuest]) -> list[Member]:
        """Log in guests, a few at a time, and sign up those without an account."""
        # Mostly all guests have accounts or none. So the first guest tells which request to try first for the others,
        # because each attempt takes a while.
        known = isinstance(await self._log_in(guests[0]), Member) if guests else False

        async def sign_in(guest: DemoGuest) -> Member:
            return await self._sign_in(guest, known=known)

        return await _a_few_at_a_time(guests, sign_in)

    async def _sign_in(self, guest: DemoGuest, *, known: bool) -> Member:
        if known:
            result = await self._log_in(guest)
            if isinstance(result, Problem) and result.code == "invalid_credentials":
                result = await self._sign_up(guest)
        else:
            result = await self._sign_up(guest)
            if isinstance(result, Problem) and result.code == "email_taken":
                result = await self._log_in(guest)
        return self._member(result, guest.email)

    async def _log_in(self, guest: DemoGuest) -> SignInResult:
        return await self._within_rate_limit(lambda: self._clinic.log_in("patient", guest.email, guest.password))

    async def _sign_up(self, guest: DemoGuest) -> SignInResult:
        return await self._within_rate_limit(
            lambda: self._clinic.sign_up(guest.name, guest.email, guest.phone, guest.password)
        )

    async def _within_rate_limit(self, sign_in: Callable[[], Awaitable[SignInResult]]) -> SignInResult:
        """Repeat a request that met the rate limit, after the pause that the hub asks for, up to `_MAX_WAIT`."""
        now = asyncio.get_running_loop().time
        give_up_at = now() + _MAX_WAIT
        while True:
            result = await sign_in()
            if not isinstance(result, Problem) or result.code != "too_many_requests":
                return result
            pause = result.retry_after or 1.0
            if now() + pause > give_up_at:
                return result
            if not self._waiting:
                self._waiting = True
                self._say("The hub's limit for log-ins per minute is reached; waiting for the next minute.")
            await asyncio.sleep(pause)

    def _member(self, result: SignInResult, email: str) -> Member:
        match result:
            case Member():
                self._signed_in()
                return result
            case Unconfirmed():
                raise CannotStart(
                    f"{email} cannot sign up: this hub wants a code by text (SIGN_UP_CONFIRMATION=required), and the "
                    "guests of the demo have no phones.",
                )
            case Problem(code="too_many_requests", detail=detail):
                raise CannotStart(
                    f"{email} may not sign in now: {detail}\n"
                    "The hub's settings LOGINS_PER_MINUTE_PER_ADDRESS and SIGNUPS_PER_HOUR_PER_ADDRESS limit this.",
                )
            case Problem(code=code, detail=detail):
                raise CannotStart(f"{email} cannot sign in: {code} {detail}")
            case NoResponse(cause=cause):
                raise CannotStart(f"{email} cannot sign in: no answer ({cause})")


async def _a_few_at_a_time(people: Sequence[P], sign_in: Callable[[P], Awaitable[Member]]) -> list[Member]:
    limit = asyncio.Semaphore(_MAX_CONCURRENT)

    async def limited(person: P) -> Member:
        async with limit:
            return await sign_in(person)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(limited(person)) for person in people]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the other messages would say the same
    return [task.result() for task in tasks]
