"""Batches keep the order of events. Only handled events are acked, and none of a partition that another worker owns."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from agents.actor.dispatcher import LANES, MOST_IN_BATCH, Dispatcher
from hub.records.errors import DatabaseRefuses
from tests.stack import until

HERE, THERE, BESIDE = TP("clinic.commands", 0), TP("clinic.commands", 1), TP("clinic.commands", LANES)
RETRY_DELAY = 0.001


@dataclass
class Worker:
    """The part of a Faust app that the dispatcher uses. `acked` has the acked events, in order."""

    should_stop: bool = False
    consumer_generation_id: int = 1
    acked: list[tuple[TP, int]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def add_future(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def event(self, offset: int, partition: TP = HERE) -> Any:
        """Return an event of the current generation of the consumer."""
        return SimpleNamespace(
            message=SimpleNamespace(tp=partition, offset=offset, generation_id=self.consumer_generation_id),
            ack=lambda: self.acked.append((partition, offset)),
        )


@dataclass
class Handling:
    """Replaces the actors: keeps the offsets of each batch, and runs `before`."""

    batches: list[list[int]] = field(default_factory=list)
    before: Callable[[int], Coroutine[Any, Any, None]] | None = None
    """Awaited with the number of the batch (the first is 1). May raise, so that the batch fails."""

    async def __call__(self, events: Sequence[Any]) -> None:
        self.batches.append([event.message.offset for event in events])
        if self.before:
            await self.before(len(self.batches))


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    for task in worker.tasks:
        task.cancel()


async def fed(worker: Worker, handling: Handling, offsets: Sequence[int], partition: TP = HERE) -> Dispatcher:
    """Return a dispatcher that has been fed these events."""
    dispatcher = Dispatcher(worker, handling, lambda: True, RETRY_DELAY)
    for offset in offsets:
        await dispatcher.feed(worker.event(offset, partition))
    return dispatcher


async def test_queued_events_are_handled_as_one_batch_in_order_and_acked_together(worker: Worker) -> None:
    handling = Handling()
    dispatcher = await fed(worker, handling, range(5))
    await dispatcher.drain(5)
    assert handling.batches == [[0, 1, 2, 3, 4]]
    assert worker.acked == [(HERE, offset) for offset in range(5)]


async def test_no_batch_is_larger_than_what_a_client_can_wait_for(worker: Worker) -> None:
    handling = Handling()
    dispatcher = await fed(worker, handling, range(MOST_IN_BATCH + 1))
    await dispatcher.drain(5)
    assert [len(offsets) for offsets in handling.batches] == [MOST_IN_BATCH, 1]
    assert [offset for _, offset in worker.acked] == list(range(MOST_IN_BATCH + 1))


async def test_nothing_is_acked_before_it_is_handled(worker: Worker) -> None:
    may_finish = asyncio.Event()
    begun = asyncio.Event()

    async def wait(_: int) -> None:
        begun.set()
        await may_finish.wait()

    dispatcher = await fed(worker, Handling(before=wait), [0, 1])
    await begun.wait()
    assert worker.acked == []
    may_finish.set()
    await dispatcher.drain(5)
    assert len(worker.acked) == 2


async def test_a_failed_batch_is_retried_before_later_events(worker: Worker) -> None:
    async def fail_twice(number: int) -> None:
        if number <= 2:
            raise ConnectionError("the database is away")

    handling = Handling(before=fail_twice)
    dispatcher = await fed(worker, handling, [0, 1])
    await until(lambda: bool(handling.batches), "the first batch is being handled")
    await dispatcher.feed(worker.event(2))
    await dispatcher.drain(5)
    assert handling.batches == [[0, 1], [0, 1], [0, 1], [2]]
    assert [offset for _, offset in worker.acked] == [0, 1, 2]


async def test_events_of_another_generation_are_neither_handled_nor_acked(worker: Worker) -> None:
    handling = Handling()
    dispatcher = Dispatcher(worker, handling, lambda: True, RETRY_DELAY)
    lost = worker.event(0)
    worker.consumer_generation_id = 2
    for event in (lost, worker.event(1)):
        await dispatcher.feed(event)
    await dispatcher.drain(5)
    assert handling.batches == [[1]]
    assert worker.acked == [(HERE, 1)]


@pytest.mark.parametrize(("generation", "handled"), [(1, [[0, 1]]), (2, [])])
async def test_events_wait_while_the_worker_holds_no_lease(
    worker: Worker, generation: int, handled: list[list[int]]
) -> None:
    handling, certain = Handling(), asyncio.Event()
    dispatcher = Dispatcher(worker, handling, certain.is_set, RETRY_DELAY)
    for offset in range(2):
        await dispatcher.feed(worker.event(offset))
    await asyncio.sleep(0.15)
    assert handling.batches == []
    worker.consumer_generation_id = generation
    certain.set()
    await dispatcher.drain(5)
    assert handling.batches == handled
    assert len(worker.acked) == sum(map(len, handled))


async def test_a_failing_batch_is_given_up_when_its_partition_is_lost(worker: Worker) -> None:
    async def lose(_: int) -> None:
        worker.consumer_generation_id += 1
        raise ConnectionError("the database is away")

    handling = Handling(before=lose)
    dispatcher = await fed(worker, handling, [0, 1])
    await dispatcher.drain(5)
    assert len(handling.batches) == 1
    assert worker.acked == []


async def test_partitions_of_one_lane_share_a_batch_and_each_keeps_its_order(worker: Worker) -> None:
    handling = Handling()
    dispatcher = Dispatcher(worker, handling, lambda: True, RETRY_DELAY)
    for offset, partition in [(0, HERE), (10, BESIDE), (1, HERE), (11, BESIDE)]:
        await dispatcher.feed(worker.event(offset, partition))
    await dispatcher.drain(5)
    assert handling.batches == [[0, 10, 1, 11]]
    assert worker.acked == [(HERE, 0), (BESIDE, 10), (HERE, 1), (BESIDE, 11)]


async def test_a_waiting_lane_does_not_delay_another(worker: Worker) -> None:
    hang = asyncio.Event()

    async def hang_at_first(number: int) -> None:
        if number == 1:
            await hang.wait()

    handling = Handling(before=hang_at_first)
    dispatcher = await fed(worker, handling, [0])
    await until(lambda: bool(handling.batches), "the first batch is being handled")
    await dispatcher.feed(worker.event(7, THERE))
    await until(lambda: bool(worker.acked), "the other lane is acked")
    assert worker.acked == [(THERE, 7)]
    hang.set()
    await dispatcher.drain(5)
    assert worker.acked == [(THERE, 7), (HERE, 0)]


async def test_draining_waits_for_events_under_way_up_to_its_timeout(worker: Worker) -> None:
    may_finish = asyncio.Event()

    async def wait(_: int) -> None:
        await may_finish.wait()

    dispatcher = await fed(worker, Handling(before=wait), [0])
    await dispatcher.drain(0.01)
    assert worker.acked == []
    draining = asyncio.create_task(dispatcher.drain(60))
    may_finish.set()
    await draining
    assert worker.acked == [(HERE, 0)]


async def test_a_dispatcher_with_nothing_under_way_drains_at_once(worker: Worker) -> None:
    await asyncio.wait_for(Dispatcher(worker, Handling(), lambda: True).drain(60), 1)


async def test_a_worker_that_stops_gives_up_a_batch_that_keeps_failing(worker: Worker) -> None:
    async def stop(_: int) -> None:
        worker.should_stop = True
        raise ConnectionError("the database is away")

    handling = Handling(before=stop)
    dispatcher = await fed(worker, handling, [0])
    await dispatcher.drain(5)
    (task,) = worker.tasks
    await asyncio.wait_for(task, 1)
    assert len(handling.batches) == 1
    assert worker.acked == []


async def test_a_database_that_refuses_for_good_ends_the_worker_and_nothing_is_acked(worker: Worker) -> None:
    async def refused(_: int) -> None:
        raise DatabaseRefuses("not authorized")

    handling = Handling(before=refused)
    await fed(worker, handling, range(3))
    with pytest.raises(DatabaseRefuses):
        await asyncio.wait_for(worker.tasks[0], 5)
    assert (len(handling.batches), worker.acked) == (1, [])
