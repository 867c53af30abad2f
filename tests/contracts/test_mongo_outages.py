"""A database outage is reported within seconds, and no saved data is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.records.errors import StoreUnavailable
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Saved
from tests.contracts.engine import Engine
from tests.contracts.histories import HALF_HOUR, NINE, Histories

CALL_TIMEOUT = 6.0
"""Seconds: five for the database, and one more for a busy machine."""


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[Engine, MongoRecords]]:
    """A database that the test may kill or pause, and the store on it."""
    engine = Engine(tmp_path)
    engine.start()
    records = connect(engine.url("clinic"))
    await records.prepare()
    yield engine, records
    await records.close()
    engine.kill()


async def test_a_killed_database_is_reported_and_keeps_everything_that_was_saved(
    own: tuple[Engine, MongoRecords], histories: Histories
) -> None:
    engine, records = own
    booked = histories.book()
    assert await records.appointments.save([booked]) == Saved()

    engine.kill()
    other = histories.book(patient="paul", start=NINE + HALF_HOUR)
    await asyncio.gather(
        _unavailable(lambda: records.appointments.save([other])),
        _unavailable(lambda: records.appointments.by_ids([booked.id])),
        _unavailable(lambda: records.users.by_email("pat@clinic.test")),
        _unavailable(lambda: records.sessions.revoke("log-in", NINE)),
        _unavailable(records.prepare),
        _unavailable(records.ping, within=3.0),
    )

    engine.start()
    await _answers(records)
    assert await records.appointments.by_ids([booked.id, other.id]) == {booked.id: booked}
    assert await records.appointments.save([other]) == Saved()


async def test_each_of_many_callers_learns_in_time_that_the_database_is_paused(
    own: tuple[Engine, MongoRecords], histories: Histories
) -> None:
    engine, records = own
    callers = 40  # more than Motor has threads
    engine.pause()
    try:
        reads = (_unavailable(lambda: records.appointments.last_seq("dora")) for _ in range(callers))
        writes = (_unavailable(lambda: records.appointments.save([histories.book()])) for _ in range(callers))
        pings = (_unavailable(records.ping, within=3.0) for _ in range(3))
        await asyncio.gather(*pings, *reads, *writes)
    finally:
        engine.resume()

    await _answers(records)


async def _unavailable(call: Callable[[], Awaitable[object]], within: float = CALL_TIMEOUT) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await call()
    assert time.monotonic() - began < within


async def _answers(records: MongoRecords) -> None:
    """Wait until the store answers again."""
    async with asyncio.timeout(30):
        while True:
            try:
                await records.ping()
            except StoreUnavailable:
                continue
            return
