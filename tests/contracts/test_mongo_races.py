"""Several workers write concurrently over separate connections: the database accepts one of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.ids import new_id
from hub.records.mongo import MongoRecords, connect
from hub.records.ports import Fence, Saved, Stale, Stopped
from hub.scheduling.apply import apply_all
from hub.scheduling.appointment import Appointment
from tests.contracts.histories import HALF_HOUR, NINE, Histories

WORKERS = 6


@pytest.fixture(params=["url", "losing_answers"])
async def workers(request: pytest.FixtureRequest) -> AsyncIterator[list[MongoRecords]]:
    """Stores on one database. The second variant loses the answer to every third retryable write."""
    there = request.getfixturevalue(request.param)
    url = there if isinstance(there, str) else there.url(f"races_{new_id()}", "retryWrites=true")
    stores = [connect(url) for _ in range(WORKERS)]
    await stores[0].prepare()
    yield stores
    for records in stores:
        await records.close()


async def test_one_of_many_concurrent_bookings_of_a_slot_is_written(workers: list[MongoRecords]) -> None:
    for turn in range(20):
        bookings = [
            Histories().book(f"d{turn}", f"p{turn}-{worker}", command=f"c{turn}-{worker}") for worker in range(WORKERS)
        ]

        outcomes = await asyncio.gather(
            *(records.appointments.save([booking]) for records, booking in zip(workers, bookings, strict=True))
        )

        assert outcomes.count(Saved()) == 1
        assert outcomes.count(Stopped(0, Fence.DOCTOR_SEQ)) == WORKERS - 1


async def test_one_of_many_concurrent_changes_of_a_version_is_written(
    workers: list[MongoRecords], histories: Histories
) -> None:
    current = histories.book()
    await workers[0].appointments.save([current])
    for _ in range(20):
        seq = histories.seqs["dora"]
        changes = []
        for _ in range(WORKERS):
            histories.seqs["dora"] = seq
            changes.append(histories.confirm(current))

        outcomes = await asyncio.gather(
            *(records.appointments.save([change]) for records, change in zip(workers, changes, strict=True))
        )

        assert outcomes.count(Saved()) == 1
        assert outcomes.count(Stale(0)) == WORKERS - 1
        current = changes[outcomes.index(Saved())]
        assert await workers[0].appointments.by_ids([current.id]) == {current.id: current}


async def test_one_batch_saved_by_every_worker_is_written_once_and_without_a_gap(
    workers: list[MongoRecords], histories: Histories
) -> None:
    bookings = [histories.book(patient=f"p{slot}", start=NINE + slot * HALF_HOUR) for slot in range(30)]
    batch = [*bookings, *(histories.confirm(booking) for booking in bookings)]

    await asyncio.gather(*(_pushed_through(records, batch) for records in workers))

    happened = await workers[0].appointments.events_after("dora", after=0)
    assert [past.event for past in happened] == [step.last for step in batch]
    stored = await workers[0].appointments.by_ids([booking.id for booking in bookings])
    assert [apply_all(None, stored[booking.id].history) for booking in bookings] == batch[30:]


async def _pushed_through(records: MongoRecords, batch: list[Appointment]) -> None:
    """Save like a worker: leave out each command that is already applied, and save the rest."""
    waiting = list(batch)
    while waiting:
        match await records.appointments.save(waiting):
            case Saved():
                return
            case Stopped(written=written, fence=Fence.APPOINTMENT | Fence.COMMAND):
                waiting = waiting[written + 1 :]
            case other:
                pytest.fail(f"{other} in a batch that everybody sends in the same order")
