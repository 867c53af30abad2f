"""The accounts of the benchmark: doctors with free slots for months, each with their own patients."""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.accounts.account import Account
from hub.accounts.tokens import AccessTokens
from hub.clock import Clock
from hub.ids import instance_id, new_id
from hub.scheduling.values import Role, rfc3339
from tests import people

AddAccounts = Callable[[list[Account]], Awaitable[None]]
"""Writes accounts into the database of a service."""

_ZONE = "Europe/Berlin"
_SHIFTS = people.weekly(8, 16)
_AT_ONCE = 500
"""Accounts in one write."""
FIRST_NAMES = [
    first + last
    for first in ["An", "Ma", "Lu", "Jo", "Ka", "Pe", "Li", "To", "Fa", "Mü", "Øy", "Ła"]
    for last in ["na", "ria", "s", "rl", "sa"]
]
LAST_NAMES = [
    first + middle + last
    for first in ["Ber", "Mül", "Schmi", "Kowal", "Gar", "Øst", "Nguy", "Sing", "Sil", "Okaf"]
    for middle in ["g", "ler", "dt", "ski", "cia", "er", "en", "h", "ien", "va"]
    for last in ("", "son", "mann", "-Berg")
]
_LAST_DAY = 362
"""Days from now. The rules allow bookings up to 366 days ahead."""


@dataclass(frozen=True)
class Size:
    """The `crowd` are patients of one more doctor. Free slots begin `first_day` days from now."""

    doctors: int
    patients: int
    crowd: int
    first_day: int
    guests: int = 0
    """Patients without a log-in, for the search."""


@dataclass(frozen=True)
class Patient:
    """A patient of one doctor only, so that no booking is refused because the patient is busy."""

    id: str
    token: str
    doctor_id: str


@dataclass(frozen=True)
class Day:
    """A day with the starts (RFC 3339) of its slots."""

    date: str
    starts: Sequence[str]


class Population:
    """`doctor_tokens` are by doctor id, `desk_token` is a receptionist's.

    The patients are spread evenly over the doctors; the crowd has one doctor.
    """

    def __init__(
        self,
        doctor_tokens: dict[str, str],
        patients: list[Patient],
        crowd: list[Patient],
        starts: list[str],
        *,
        desk_token: str,
        day_before: Day,
    ) -> None:
        self.doctor_tokens = doctor_tokens
        self.desk_token = desk_token
        self.day_before = day_before
        self.patients = patients
        self.crowd = crowd
        self._free = {doctor_id: _shuffled(starts, seed) for seed, doctor_id in enumerate(doctor_tokens)}

    def free_slot(self, doctor_id: str) -> str:
        """Return the start (RFC 3339) of a slot not returned before. Raises StopIteration when none is left."""
        return next(self._free[doctor_id])


async def seed(add: AddAccounts, tokens: AccessTokens, clock: Clock, size: Size) -> Population:
    """Add the accounts, and issue a token for each: nobody logs in."""
    doctors = [_doctor(number) for number in range(size.doctors + bool(size.crowd))]
    others = [_patient(number) for number in range(size.patients + size.crowd)]
    await add([*doctors, *others])
    chance = random.Random(0)
    for first in range(0, size.guests, _AT_ONCE):
        await add([_guest(number, chance) for number in range(first, min(size.guests, first + _AT_ONCE))])
    patients, crowd = others[: size.patients], others[size.patients :]
    return Population(
        {doctor.id: _token(tokens, doctor) for doctor in doctors},
        [Patient(one.id, _token(tokens, one), doctors[i % size.doctors].id) for i, one in enumerate(patients)],
        [Patient(one.id, _token(tokens, one), doctors[-1].id) for one in crowd],
        _starts(doctors[0], clock(), size.first_day),
        desk_token=tokens.issue(new_id(), Role.RECEPTIONIST, instance_id()),
        day_before=_day_before(doctors[0], clock(), size.first_day),
    )


def _doctor(number: int) -> Account:
    phone = f"+4930{number:08d}"  # without a phone nobody is texted
    return people.doctor(new_id(), _ZONE, _SHIFTS, email=f"doctor{number}@bench.test", phone=phone)


def _patient(number: int) -> Account:
    return people.patient(new_id(), email=f"patient{number}@bench.test", phone=f"+4940{number:08d}")


def _guest(number: int, chance: random.Random) -> Account:
    name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
    return people.patient(new_id(), name=name, email=None, phone=f"+4950{number:08d}", password_hash=None)


def _token(tokens: AccessTokens, account: Account) -> str:
    return tokens.issue(account.id, Role(account.role), instance_id())


def _starts(doctor: Account, now: datetime, first_day: int) -> list[str]:
    assert doctor.schedule
    today = doctor.schedule.day_of(now)
    days = [today + timedelta(days=number) for number in range(first_day, _LAST_DAY)]
    return [rfc3339(start) for day in days for start in doctor.schedule.starts_of(day)]


def _day_before(doctor: Account, now: datetime, first_day: int) -> Day:
    """Return the day before the first day with free slots, whose slots a scenario may book as it likes."""
    assert doctor.schedule
    day = doctor.schedule.day_of(now) + timedelta(days=first_day - 1)
    return Day(day.isoformat(), [rfc3339(start) for start in doctor.schedule.starts_of(day)])


def _shuffled(starts: list[str], seed: int) -> Iterator[str]:
    """Return the starts in a random order that is the same at every run, so that days fill evenly."""
    return iter(random.Random(seed).sample(starts, len(starts)))
