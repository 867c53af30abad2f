"""What is measured: the hub as `make run` starts it, as processes on loopback, with a population in it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from hub.accounts.tokens import AccessTokens
from hub.clock import system_clock
from hub.ops.local.broker import Kind
from hub.ops.local.process import Process
from hub.records.mongo import MongoRecords, connect
from hub.settings import Settings, address
from tests.own_database import own_database
from tests.stack import Stack
from tests.tools.bench import machine
from tests.tools.bench.population import Population, Size, seed
from tests.years import write, years

_SIGNED_IN_FOR = timedelta(hours=24)
_FILLED_DAYS = 200
"""So many days ahead, every slot is taken where years of appointments are stored."""
_STILL, _REST_WITHIN = 3, 60
"""Seconds: planning texts, the agents rest for some two at the most."""


class WrongAnswers(Exception):
    """The hub did not do what was asked of it, so how quick it was says nothing."""


@dataclass(frozen=True)
class Hub:
    """So many processes of each kind, and so many appointments in the record before anybody asks."""

    agents: int = 1
    apis: int = 1
    stored: int = 0

    @property
    def size(self) -> Size:
        """A population of many doctors to book with; of few and busy ones, as old as it has to be, to read from."""
        if self.stored:
            return Size(doctors=10, patients=1000, crowd=0, first_day=_FILLED_DAYS + 2)
        return Size(doctors=64, patients=128, crowd=500, first_day=2)


@dataclass(frozen=True)
class Subject:
    """A running hub; `population` has free slots for whoever measures."""

    stack: Stack
    cores: Sequence[int]
    population: Population
    database: AsyncMongoClient[Any]
    server: str | None
    """The URL of the MongoDB that it uses, where that is not the embedded one."""

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
        """Give each process its core; again when one has been started again."""
        hub = [process.pid for process in (*self.stack.apis, *self.stack.agents) if process.alive]
        engines = (*self.stack.engines.values(), self.stack.phones)
        machine.pin(self.cores, hub, [process.pid for process in engines])

    async def appointments(self) -> int:
        """Return how many appointments are in the database: asked of it directly, not of the hub."""
        return await self._count("appointments")

    async def at_rest(self) -> None:
        """Return when no more texts are planned, or after a minute: no scenario is to pay for the one before it."""
        planned = -1
        for _ in range(_REST_WITHIN // _STILL):
            before, planned = planned, await self._count("texts")
            if planned == before:
                return
            await asyncio.sleep(_STILL)

    async def _count(self, collection: str) -> int:
        return await self.database.get_default_database()[collection].count_documents({})


@asynccontextmanager
async def under_measurement(cores: Sequence[int], broker: Kind, server: str | None, hub: Hub) -> AsyncIterator[Subject]:
    """Start a fresh hub on these cores, with a new population in it, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory, own_database(server) as url:
        async with Stack(Path(directory), broker, mongodb_url=url) as stack:
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
    tokens = AccessTokens(settings.jwt_secret_key.get_secret_value(), _SIGNED_IN_FOR, system_clock)
    records = connect(address(settings, "mongodb_url"))
    try:
        if not hub.stored:
            await records.prepare()
        population = await seed(records, tokens, system_clock, hub.size)
        if hub.stored:
            await _fill(records, population, hub.stored)
        return population
    finally:
        await records.close()


async def _fill(records: MongoRecords, population: Population, stored: int) -> None:
    doctors, patients = list(population.doctor_tokens), [patient.id for patient in population.patients]
    await write(records, years(doctors, patients, stored // len(doctors), system_clock()))


def _numbered(name: str, processes: Sequence[Process]) -> dict[str, int]:
    """The first keeps the plain name, so that figures of one process and of several share a table."""
    return {
        name if number == 1 else f"{name} {number}": process.pid for number, process in enumerate(processes, start=1)
    }
