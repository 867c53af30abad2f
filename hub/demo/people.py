"""Who takes part: the seeded doctors and patients, and more patients, who sign up at their first morning."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.client.answers import Refusal, Silence
from hub.client.clinic import Clinic
from hub.client.member import Member
from hub.seeding.people import Person

_AT_ONCE = 4
"""How many sign in at the same time: the hub checks two passwords at once, so more would only wait there."""
_LONGEST_WAIT = 90.0
"""Seconds to wait when the hub says that too many sign in; it counts by the minute, and sign-ups by the hour."""
_AREA_CODES = (808, 907)
_LINES = 100

P = TypeVar("P")
Entered = Member | Refusal | Silence
SignIn = Callable[[], Awaitable[Entered]]


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
            name=f"Morning Guest {number + 1}",
            email=f"morning{number + 1}@clinic.test",
            phone=f"+1{_AREA_CODES[number // _LINES]}55501{number % _LINES:02d}",
            password=f"Morning#{number + 1}",
        )
        for number in range(count)
    ]


async def log_in(clinic: Clinic, person: Person) -> Member:
    """Sign in somebody of the seed. Raises `CannotBegin`."""
    entered = await _patiently(lambda: clinic.log_in(person.role, person.email, person.password))
    if isinstance(entered, Refusal) and entered.code == "invalid_credentials":
        raise CannotBegin(
            f"{person.email} cannot log in: the demo needs the seeded clinic.\n"
            "`make run` seeds an empty database on this machine; `make seed` fills the one that MONGODB_URL names.",
        )
    return _member(entered, person.email)


async def log_in_all(clinic: Clinic, people: Sequence[Person], arrived: Callable[[], None]) -> list[Member]:
    """Sign in people of the seed, a few at a time; `arrived` is called for each. Raises `CannotBegin`."""

    async def enter(person: Person) -> Member:
        return await log_in(clinic, person)

    return await _a_few_at_a_time(people, enter, arrived)


async def welcome_all(clinic: Clinic, guests: Sequence[Newcomer], arrived: Callable[[], None]) -> list[Member]:
    """Sign in newcomers, signing up who was never here. Raises `CannotBegin`."""
    # All of them were here before, or none: the first one tells which door to try first, for each try takes a while.
    known = bool(guests) and isinstance(await clinic.log_in("patient", guests[0].email, guests[0].password), Member)

    async def enter(guest: Newcomer) -> Member:
        return await _welcome(clinic, guest, known=known)

    return await _a_few_at_a_time(guests, enter, arrived)


async def _welcome(clinic: Clinic, guest: Newcomer, *, known: bool) -> Member:
    def log_in() -> Awaitable[Entered]:
        return clinic.log_in("patient", guest.email, guest.password)

    def sign_up() -> Awaitable[Entered]:
        return clinic.sign_up(guest.name, guest.email, guest.phone, guest.password)

    first, second, wrong_door = (log_in, sign_up, "invalid_credentials") if known else (sign_up, log_in, "email_taken")
    entered = await _patiently(first)
    if isinstance(entered, Refusal) and entered.code == wrong_door:
        entered = await _patiently(second)
    return _member(entered, guest.email)


async def _patiently(sign_in: SignIn) -> Entered:
    """Try again after the pause that a hub asks for which lets only so many in, if it is a short one."""
    entered = await sign_in()
    if isinstance(entered, Refusal) and entered.code == "too_many_requests":
        pause = entered.retry_after or 1.0
        if pause <= _LONGEST_WAIT:
            await asyncio.sleep(pause)
            return await sign_in()
    return entered


def _member(entered: Entered, email: str) -> Member:
    match entered:
        case Member():
            return entered
        case Refusal(code="too_many_requests", detail=detail):
            raise CannotBegin(
                f"{email} may not sign in now: {detail}\n"
                "LOGINS_PER_MINUTE_PER_ADDRESS and SIGNUPS_PER_HOUR_PER_ADDRESS say how many may.",
            )
        case Refusal(code=code, detail=detail):
            raise CannotBegin(f"{email} cannot sign in: {code} {detail}")
        case Silence(cause=cause):
            raise CannotBegin(f"{email} cannot sign in: no answer ({cause})")


async def _a_few_at_a_time(
    people: Sequence[P], enter: Callable[[P], Awaitable[Member]], arrived: Callable[[], None]
) -> list[Member]:
    turn = asyncio.Semaphore(_AT_ONCE)

    async def take_turn(person: P) -> Member:
        async with turn:
            member = await enter(person)
        arrived()
        return member

    try:
        async with asyncio.TaskGroup() as group:
            entering = [group.create_task(take_turn(person)) for person in people]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # one message will do; the others say the same
    return [task.result() for task in entering]
