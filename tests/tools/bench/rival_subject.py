"""The rival under measurement: one process beside a database, with the population that the hub has."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
from bson import ObjectId
from pymongo import AsyncMongoClient

from hub.accounts.account import Account
from hub.clock import system_clock
from hub.ids import new_id
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.ports import free_port
from hub.ops.local.process import Process, Program
from hub.scheduling.values import APPOINTMENT_DURATION, Role
from tests import people
from tests.own_database import own_database
from tests.tools.bench import machine
from tests.tools.bench.population import Population, seed
from tests.tools.bench.rival import jobs
from tests.tools.bench.rival.models import ACTIVE
from tests.tools.bench.rival.repository import Repository
from tests.tools.bench.service import DUE_DOCTORS, DUE_EACH, due_bookings
from tests.tools.bench.subject import Hub, access_tokens, stored_appointments

Document = dict[str, Any]

_ROOT = Path(__file__).parents[3]
_SECRET = "the bench gives the rival this key of more than 32 bytes"
_AT_ONCE = 1000


@dataclass(frozen=True)
class RivalSubject:
    """A running rival. It is a `Service`."""

    population: Population
    cores: Sequence[int]
    app: Process
    store: Process | None
    """The embedded database, if it is the one that is used."""
    client: AsyncMongoClient[Document]

    @property
    def host(self) -> str:
        return self.app.program.host

    @property
    def port(self) -> int:
        return self.app.port

    @property
    def processes(self) -> Mapping[str, int]:
        """See `Service`."""
        return {"app": self.app.pid, **({"database": self.store.pid} if self.store else {})}

    def pin(self) -> None:
        """Pin the service to the first core, and the database and the load to the second, as those of the hub."""
        machine.pin(self.cores, [self.app.pid], [self.store.pid] if self.store else [])

    async def appointments(self) -> int:
        """See `Service`."""
        return await self.client.get_default_database()["appointments"].count_documents({})

    async def at_rest(self) -> None:
        """See `Service`. The rival leaves nothing for later."""

    async def come_due(self, after: float) -> list[str]:
        """See `Service`."""
        await self.app.stop(grace=10.0)
        doctors = [people.doctor(f"due-doctor-{number}") for number in range(DUE_DOCTORS)]
        patients = [people.patient(f"due-patient-{number}") for number in range(DUE_DOCTORS * DUE_EACH)]
        await _add_accounts(self.client, [*doctors, *patients])
        first = system_clock() + jobs.REMINDER_LEAD + timedelta(seconds=after)
        bookings = due_bookings([one.id for one in doctors], [one.id for one in patients], first)
        await _add_appointments(self.client, (_document(*booking) for booking in bookings))
        await self.app.start_and_wait()
        self.pin()
        tokens = access_tokens(_SECRET)
        return [tokens.issue(doctor.id, Role.DOCTOR, new_id()) for doctor in doctors]


@asynccontextmanager
async def rival_under_measurement(
    cores: Sequence[int], server: str | None, hub: Hub, *, journal: bool
) -> AsyncIterator[RivalSubject]:
    """Start a new rival on these cores with the population that this hub has. It ends with the block."""
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory, own_database(server) as given:
        logs = Path(directory) / "logs"
        store = None if given else await _store(Path(directory) / "mongo", logs)
        url = given or mongodb_url(store.port if store else 0)
        client: AsyncMongoClient[Document] = AsyncMongoClient(url, tz_aware=True)
        app = Process(_program(_journaled(url) if journal else url), logs)
        try:
            async with client:
                population = await _population(client, hub, url)
                await app.start_and_wait()
                subject = RivalSubject(population, cores, app, store, client)
                subject.pin()
                yield subject
        finally:
            await app.stop(grace=10.0)
            if store:
                await store.kill()


async def _store(folder: Path, logs: Path) -> Process:
    return await start_engine(lambda port: database(port, folder), None, lambda program: Process(program, logs))


def _program(url: str) -> Program:
    port = free_port()
    return Program(
        name="rival",
        command=(sys.executable, "-m", "tests.tools.bench.rival"),
        environment={
            "PYTHONPATH": str(_ROOT),
            "RIVAL_MONGODB_URL": url,
            "RIVAL_JWT_SECRET_KEY": _SECRET,
            "RIVAL_PORT": str(port),
        },
        port=port,
        probe=lambda: _is_up(port),
    )


def _journaled(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}journal=true"


async def _is_up(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/api/v1/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _population(client: AsyncMongoClient[Document], hub: Hub, url: str) -> Population:
    async def add(accounts: list[Account]) -> None:
        await _add_accounts(client, accounts)

    population = await seed(add, access_tokens(_SECRET), system_clock, hub.size)
    if hub.stored:
        await _add_appointments(client, _stored(population, hub.stored))
    repository = Repository(url)
    await repository.prepare()
    repository.close()
    return population


def _stored(population: Population, number: int) -> Iterator[Document]:
    for one in stored_appointments(population, number):
        document = _document(one.doctor_id, one.patient_id, one.start)
        yield {**document, "status": one.status.value, "version": one.version, "reason": one.reason}


async def _add_accounts(client: AsyncMongoClient[Document], accounts: list[Account]) -> None:
    users = client.get_default_database()["users"]
    await users.insert_many([_user(account) for account in accounts])


async def _add_appointments(client: AsyncMongoClient[Document], documents: Iterator[Document]) -> None:
    """Add appointments with the jobs of those that are active, as if they had been booked long ago."""
    database = client.get_default_database()
    while batch := list(islice(documents, _AT_ONCE)):
        await database["appointments"].insert_many(batch, ordered=False)
        active = [document for document in batch if document["status"] in ACTIVE]
        due = [job for document in active for job in jobs.documents_of(document["_id"], document["start"])]
        if due:
            await database["jobs"].insert_many(due, ordered=False)


def _user(account: Account) -> Document:
    schedule = account.schedule
    hours = {"zone": schedule.zone, "shifts": [shift.model_dump() for shift in schedule.shifts]} if schedule else {}
    return {
        "_id": account.id,
        "role": account.role,
        "name": account.name,
        "email": account.email,
        "phone": account.phone,
        "passwordHash": account.password_hash,
        **hours,
    }


def _document(doctor_id: str, patient_id: str, start: datetime) -> Document:
    return {
        "_id": str(ObjectId()),
        "doctorId": doctor_id,
        "patientId": patient_id,
        "start": start,
        "end": start + APPOINTMENT_DURATION,
        "status": "scheduled",
        "version": 1,
        "reason": None,
        "createdAt": system_clock(),
    }
