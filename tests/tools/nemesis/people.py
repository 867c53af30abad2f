"""Doctors, receptionists, and patients with phones, all with dashboards.

Their commands and what their dashboards show are recorded.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.client.clinic import Clinic, clinic_at
from hub.client.commands import Commands, Timeouts
from hub.client.line import Line
from hub.client.member import Member
from hub.client.reconnecting import CannotConnect
from hub.clock import Timekeeper
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.records.ports import Records
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.settings import Settings
from tests.people import doctors_and_patients, patient, receptionist, signed_in, tokens_of

PATIENCE = Timeouts(total=90.0, attempt=12.0)
"""Seconds: longer than all overlapping faults, so that every command of a client that waits is decided."""
_CONNECT_AT_ONCE = 10
WITHOUT_LOG_IN = tuple(f"patient-without-{number}" for number in range(4))
"""The ids of patients whom the clinic registered. They have one phone, and cannot log in."""
MAY_LEAVE = tuple(f"patient-of-{number}" for number in (4, 5, 6, 7, 14, 15, 16, 17))
"""The ids of patients who may erase themselves. For the first four, the clinic books as well."""
PASSWORD = "Correct-horse-7"
MOST_ACTIVE = 5
"""Appointments to come of a patient: few, so that patients meet the limit in a short run."""
_FIRST_PHONE = 6_000_000


@dataclass(frozen=True)
class Person:
    """A user with a socket and a dashboard. Commands go over the socket or over REST."""

    member: Member
    line: Line
    dashboard: Dashboard

    @property
    def id(self) -> str:
        return self.member.user.id

    def commands(self, via: Literal["rest", "socket"]) -> Commands:
        return self.member.commands if via == "rest" else self.line.commands


@dataclass(frozen=True)
class People:
    """All users, and the history of their commands."""

    clock: Timekeeper
    door: Clinic
    history: History
    doctors: Sequence[Person]
    patients: Sequence[Person]
    receptionists: Sequence[Person] = ()

    @property
    def everybody(self) -> list[Person]:
        return [*self.doctors, *self.patients, *self.receptionists]

    @property
    def dashboards(self) -> list[Dashboard]:
        return [person.dashboard for person in self.everybody]


@dataclass(frozen=True)
class Size:
    """Numbers of people. Doctors are spread evenly over the partitions."""

    doctors: int = 6
    patients: int = 24
    receptionists: int = 2


def family_name(patient_id: str) -> str:
    """Return a word that says who a patient is, and that is in no id."""
    return f"quandt{patient_id.rpartition('-')[2]}x"


def phone_of(patient_id: str) -> str:
    """Return the phone of a patient who can log in."""
    return f"+1202{_FIRST_PHONE + int(patient_id.rpartition('-')[2])}"


def slot_in(clock: Timekeeper, ahead: timedelta) -> datetime:
    """Return the start of the first slot (UTC) that is at least this far ahead."""
    length = APPOINTMENT_DURATION.total_seconds()
    return datetime.fromtimestamp(-(-(clock() + ahead).timestamp() // length) * length, UTC)


@asynccontextmanager
async def connect_people(
    settings: Settings, records: Records, clock: Timekeeper, url: str, size: Size
) -> AsyncIterator[People]:
    """Write the accounts into the record, and connect everybody to `url` during the block."""
    doctors, patients = doctors_and_patients(size.doctors, size.patients, settings.kafka_partitions, "of")
    patients = [one.model_copy(update={"phone": phone_of(one.id)}) for one in patients]
    hashed = await hash_password(PASSWORD, 4)
    patients = [
        one.model_copy(update={**_identity(one.id), "password_hash": hashed}) if one.id in MAY_LEAVE else one
        for one in patients
    ]
    receptionists = [receptionist(f"receptionist-of-{number}") for number in range(size.receptionists)]
    accounts = [*doctors, *patients, *receptionists]
    phone = f"+1202{_FIRST_PHONE - 1}"
    family = [patient(id_, email=None, phone=phone, password_hash=None) for id_ in WITHOUT_LOG_IN]
    assert await records.users.add([*accounts, *family]) is None
    tokens = tokens_of(settings, clock)
    history = History()
    async with AsyncExitStack() as lines:
        door = await lines.enter_async_context(clinic_at(url, clock, history, PATIENCE))
        turn = asyncio.Semaphore(_CONNECT_AT_ONCE)

        async def enter(account: Account) -> Person:
            member = door.member(signed_in(account, tokens))
            dashboard = Dashboard(member.user, clock)
            async with turn:
                line = await member.line(dashboard.callbacks).__aenter__()
                lines.push_async_callback(_end, line, member.user.id, history)
            return Person(member, line, dashboard)

        inside = await asyncio.gather(*(enter(account) for account in accounts))
        desk = size.doctors + size.patients
        yield People(clock, door, history, inside[: size.doctors], inside[size.doctors : desk], inside[desk:])


def _identity(patient_id: str) -> dict[str, str]:
    name = family_name(patient_id)
    return {"name": f"Griselda {name}", "email": f"{name}@clinic.test"}


async def _end(line: Line, user_id: str, history: History) -> None:
    """End a line. The hub has ended that of a person who was erased."""
    try:
        await line.__aexit__(None, None, None)
    except CannotConnect:
        if user_id not in history.erasures:
            raise
