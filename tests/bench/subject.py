"""What is measured: the hub as `make run` starts it, one process of each, on the embedded engines, with a clinic."""

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
from hub.records.mongo import connect
from hub.settings import Settings, address
from tests.bench import machine
from tests.bench.clinic import Clinic, seed
from tests.stack import Stack

_DOCTORS, _PATIENTS = 64, 128
_SIGNED_IN_FOR = timedelta(hours=24)


class WrongAnswers(Exception):
    """The hub did not do what was asked of it, so how quick it was says nothing."""


@dataclass(frozen=True)
class Subject:
    """`processes` holds the pid of each process by its name; `clinic` has free slots for whoever measures."""

    host: str
    port: int
    processes: Mapping[str, int]
    clinic: Clinic
    database: AsyncMongoClient[Any]

    async def appointments(self) -> int:
        """Return how many appointments are in the database: asked of it directly, not of the hub."""
        return await self.database.get_default_database()["appointments"].count_documents({})


@asynccontextmanager
async def under_measurement(usable: Sequence[int]) -> AsyncIterator[Subject]:
    """Start a fresh hub on these cores, with a new clinic in it, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory:
        async with Stack(Path(directory)) as stack:
            await stack.start()
            ours = {"api": stack.apis[0].pid, "agents": stack.agents[0].pid}
            engines = {"database": stack.database.pid, "broker": stack.broker.pid}
            machine.pin(usable, ours.values(), (*engines.values(), stack.phones.pid))
            database: AsyncMongoClient[Any] = AsyncMongoClient(address(stack.settings, "mongodb_url"))
            async with database:
                yield Subject(
                    host=stack.settings.host,
                    port=stack.apis[0].port,
                    processes={**ours, **engines},
                    clinic=await _clinic(stack.settings),
                    database=database,
                )


async def _clinic(settings: Settings) -> Clinic:
    tokens = AccessTokens(settings.jwt_secret_key.get_secret_value(), _SIGNED_IN_FOR, system_clock)
    records = connect(address(settings, "mongodb_url"))
    try:
        return await seed(records, tokens, system_clock, _DOCTORS, _PATIENTS)
    finally:
        await records.close()
