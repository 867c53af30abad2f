"""A batch of bookings and changes takes few ordered round trips."""

import time
from collections.abc import AsyncIterator

import pytest

from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Fence, Saved, Stale, Stopped
from hub.scheduling.appointment import Appointment
from tests.contracts.histories import HALF_HOUR, NINE, Histories
from tests.tools.mongo_proxy.proxy import MongoProxy
from tests.tools.mongo_proxy.rules import WRITES, delayed

ANSWER_DELAY = 0.03


def alternating(histories: Histories, pairs: int) -> list[Appointment]:
    """Return bookings of one doctor, each followed by its confirmation."""
    batch = []
    for slot in range(pairs):
        booked = histories.book(patient=f"p{slot}", start=NINE + slot * HALF_HOUR)
        batch += [booked, histories.confirm(booked)]
    return batch


@pytest.fixture
async def records(proxied: MongoRecords, proxy: MongoProxy) -> AsyncIterator[MongoRecords]:
    """The store, over new connections."""
    records = connect(proxy.url(proxied._database.name))
    yield records
    await records.close()


async def test_a_batch_of_alternating_commands_waits_for_one_answer(
    records: MongoRecords, proxy: MongoProxy, histories: Histories
) -> None:
    batch = alternating(histories, 40)
    await records.ping()
    proxy.seen.clear()
    with proxy.rule(delayed(ANSWER_DELAY)):
        began = time.monotonic()
        assert await records.appointments.save(batch) == Saved()
        took = time.monotonic() - began
    reached = [one for one in proxy.seen if one.command.name in WRITES]
    assert [one.command.name for one in reached] == ["update"]
    # The time that the database needs for 80 writes is subtracted, because it depends on the load of the machine.
    assert took - sum(one.seconds for one in reached) < 1.0
    assert await records.appointments.last_seq("dora") == len(batch)


async def test_a_batch_in_few_runs_is_inserted_and_replaced(
    records: MongoRecords, proxy: MongoProxy, histories: Histories
) -> None:
    batch = alternating(histories, 2)
    proxy.seen.clear()
    assert await records.appointments.save(batch) == Saved()
    reached = [one.command.name for one in proxy.seen if one.command.name in WRITES]
    assert reached == ["insert", "update", "insert", "update"]
    assert await records.appointments.last_seq("dora") == len(batch)


async def test_nothing_is_written_behind_the_first_that_fails(records: MongoRecords, histories: Histories) -> None:
    batch = alternating(histories, 3)
    taken = histories.book(patient="paul", start=NINE)
    after = [histories.book(patient="paula", start=NINE + 9 * HALF_HOUR), histories.confirm(batch[-1])]
    assert await records.appointments.save([*batch, taken, *after]) == Stopped(6, Fence.DOCTOR_SLOT)
    assert await records.appointments.last_seq("dora") == 6


async def test_a_change_whose_base_is_gone_stops_the_batch(records: MongoRecords, histories: Histories) -> None:
    booked = histories.book()
    await records.appointments.save([booked, histories.cancel(booked)])
    batch = [histories.book("dick", "paul"), histories.confirm(booked), histories.book("dick", "paula")]
    assert await records.appointments.save(batch) == Stale(1)
    assert await records.appointments.last_seq("dick") == 1
