"""The hub under measurement: processes on loopback as `make run` starts them, with a population."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from hub.accounts.account import Account
from hub.accounts.tokens import AccessTokens
from hub.clock import system_clock
from hub.ids import new_id
from hub.ops.local.broker import Kind
from hub.ops.local.process import Process
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.appointment import REMINDER_LEAD, Appointment
from hub.scheduling.values import Role
from hub.settings import Settings, address
from tests.acceptance.ledger import Ledger
from tests.own_database import own_database
from tests.stack import Stack
from tests.tools.bench import machine
from tests.tools.bench.population import Population, Size, seed
from tests.tools.bench.service import DUE_DOCTORS, DUE_EACH, due_bookings
from tests.years import write, years

_SIGNED_IN_FOR = timedelta(hours=24)
_FILLED_DAYS = 200
"""Days from now for which every slot is taken, where years of appointments are stored."""
_STILL, _REST_WITHIN = 3, 60
"""Seconds. While they plan texts, the agents pause for at most about two."""


@dataclass(frozen=True)
class Hub:
    """Number of processes of each kind, and of appointments stored before the measurement."""

    agents: int = 1
    apis: int = 1
    stored: int = 0
    guests: int = 0
    """Patients without a log-in, stored before the measurement."""

    @property
    def size(self) -> Size:
        """For bookings, many doctors. For reads, a few doctors with years of appointments."""
        if self.stored:
            return Size(doctors=10, patients=1000, crowd=0, first_day=_FILLED_DAYS + 2)
        return Size(doctors=64, patients=128, crowd=500, first_day=2, guests=self.guests)


@dataclass(frozen=True)
class Subject:
    """A running hub. It is a `Service`."""

    stack: Stack
    cores: Sequence[int]
    population: Population
    database: AsyncMongoClient[Any]
    server: str | None
    """The URL of MongoDB if it is not the embedded one."""

    @property
    def host(self) -> str:
        return self.stack.settings.host

    @property
    def port(self) -> int:
        """The port of the first api process."""
        return self.stack.apis[0].port

    @property
    def partitions(self) -> int:
        return self.stack.settings.kafka_partitions

    @property
    def processes(self) -> Mapping[str, int]:
        """The pid of each process by its name."""
        named = {**_numbered("api", self.stack.apis), **_numbered("agents", self.stack.agents)}
        return {**named, **{name: engine.pid for name, engine in self.stack.engines.items()}}

    def pin(self) -> None:
        """Pin each process to its core. Call it again after a restart."""
        hub = [process.pid for process in (*self.stack.apis, *self.stack.agents) if process.alive]
        engines = (*self.stack.engines.values(), self.stack.phones)
        machine.pin(self.cores, hub, [process.pid for process in engines])

    async def appointments(self) -> int:
        """Return the number of appointments, read directly from the database."""
        return await self._count("appointments")

    async def at_rest(self) -> None:
        """Return when no more texts are planned, or after a minute: no scenario affects the next one."""
        planned = -1
        for _ in range(_REST_WITHIN // _STILL):
            before, planned = planned, await self._count("texts")
            if planned == before:
                return
            await asyncio.sleep(_STILL)

    async def come_due(self, after: float) -> list[str]:
        """See `Service`. The agents are the ones that remind."""
        (worker,) = self.stack.agents
        await self.stack.end(worker)
        records = connect(address(self.stack.settings, "mongodb_url"))
        try:
            ledger = Ledger(records, system_clock() - timedelta(days=30))
            doctors = await ledger.doctors(DUE_DOCTORS)
            patients = [patient.id for patient in await ledger.patients(DUE_DOCTORS * DUE_EACH)]
            first = system_clock() + REMINDER_LEAD + timedelta(seconds=after)
            await ledger.book(due_bookings(doctors, patients, first))
            await ledger.planned()
        finally:
            await records.close()
        await self.stack.restart(worker)
        self.pin()
        tokens = access_tokens(self.stack.settings.jwt_secret_key.get_secret_value())
        return [tokens.issue(doctor, Role.DOCTOR, new_id()) for doctor in doctors]

    async def _count(self, collection: str) -> int:
        return await self.database.get_default_database()[collection].count_documents({})


@asynccontextmanager
async def under_measurement(cores: Sequence[int], broker: Kind, server: str | None, hub: Hub) -> AsyncIterator[Subject]:
    """Start a new hub on these cores with a new population. It ends with the block."""
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory, own_database(server) as url:
        async with Stack(
            Path(directory), broker, reply_sockets=True, mongodb_url=url, waitlist_hours="00:00-24:00"
        ) as stack:
            await stack.start_engines()
            population = await _population(stack.settings, hub)
            await stack.start_phones()
            for _ in range(hub.agents):
                await stack.add_agents()
            for _ in range(hub.apis):
                await stack.add_api()
            database: AsyncMongoClient[Any] = AsyncMongoClient(address(stack.settings, "mongodb_url"))
            async with database:
                subject = Subject(stack, cores, population, database, server)
                subject.pin()
                yield subject


async def _population(settings: Settings, hub: Hub) -> Population:
    tokens = access_tokens(settings.jwt_secret_key.get_secret_value())
    records = connect(address(settings, "mongodb_url"))
    try:
        if not hub.stored:
            await records.prepare()

        async def add(accounts: list[Account]) -> None:
            if taken := await records.users.add(accounts):
                raise RuntimeError(f"the bench needs an empty database: somebody holds the same {taken}")

        population = await seed(add, tokens, system_clock, hub.size)
        if hub.stored:
            await _fill(records, population, hub.stored)
        return population
    finally:
        await records.close()


async def _fill(records: MongoRecords, population: Population, stored: int) -> None:
    await write(records, stored_appointments(population, stored))


def stored_appointments(population: Population, stored: int) -> Iterator[Appointment]:
    """Yield so many appointments of years."""
    doctors, patients = list(population.doctor_tokens), [patient.id for patient in population.patients]
    return years(doctors, patients, stored // len(doctors), system_clock())


def access_tokens(secret: str) -> AccessTokens:
    """Return what issues the tokens of the clients."""
    return AccessTokens(secret, _SIGNED_IN_FOR, system_clock)


def _numbered(name: str, processes: Sequence[Process]) -> dict[str, int]:
    """The first process keeps the plain name, so that figures of one and of several processes share a table."""
    return {
        name if number == 1 else f"{name} {number}": process.pid for number, process in enumerate(processes, start=1)
    }
