"""Collects commands into batches, and acknowledges each batch after it is handled.

Each partition belongs to one of a few lanes, and each lane handles one batch at a time. With one lane, the database
would be idle while the next batch is decided. With one lane per partition, there would be many small batches, and a
small batch costs as much as a large one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import faust
import structlog
from faust.types import EventT
from prometheus_client import Counter

from agents.metrics import QUEUED
from hub.records.errors import DatabaseRefuses

log = structlog.get_logger(__name__)
RETRIED = Counter("clinic_batches_retried_total", "Batches that had to be handled again after an error.")

MOST_IN_BATCH = 200
"""Maximum commands in a batch: they take the database about 150 ms, much less than a client waits."""
LANES = 2
"""Batches handled concurrently (with 32 commands in flight: 640 bookings a second with 2, 616 with 4, 406 with 8)."""
_MOST_QUEUED = 2_000
_LONGEST_RETRY_DELAY = 2.0
"""Seconds."""
_LEASE_CHECK_INTERVAL = 0.05
"""Seconds between checks of the lease, while this worker does not hold it."""

Handle = Callable[[Sequence[EventT[bytes]]], Awaitable[None]]
"""Handles a batch, with each partition in order. After an error it is called with the same events again."""


class Dispatcher:
    """Passes batches to `handle`. It never skips an ack and never acks out of order: Faust would commit past it."""

    def __init__(
        self, app: faust.App, handle: Handle, holds_lease: Callable[[], bool], retry_delay: float = 0.1
    ) -> None:
        """Events wait while `holds_lease` is false. `retry_delay`: seconds before the first retry of a failed batch."""
        self._app = app
        self._handle = handle
        self._holds_lease = holds_lease
        self._retry_delay = retry_delay
        self._queues: dict[int, asyncio.Queue[EventT[bytes]]] = {}
        self._under_way = 0
        self._idle = asyncio.Event()
        QUEUED.set_function(lambda: self._under_way)

    async def feed(self, event: EventT[bytes]) -> None:
        """Queue an event of the command stream. Waits while the queue of its lane is full."""
        lane = event.message.tp.partition % LANES
        if lane not in self._queues:
            self._queues[lane] = asyncio.Queue(_MOST_QUEUED)
            self._app.add_future(self._run(self._queues[lane]))  # a failure of the task ends the worker
        await self._queues[lane].put(event)
        self._under_way += 1
        self._idle.clear()

    async def drain(self, seconds: float) -> None:
        """Wait at most this long until all queued events are handled. The next owner gets the rest again."""
        if self._under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()

    async def _run(self, queue: asyncio.Queue[EventT[bytes]]) -> None:
        while not self._app.should_stop:
            batch = [await queue.get()]
            while len(batch) < MOST_IN_BATCH and not queue.empty():
                batch.append(queue.get_nowait())
            await self._persist(batch)
            self._under_way -= len(batch)
            if not self._under_way:
                self._idle.set()

    async def _persist(self, batch: Sequence[EventT[bytes]]) -> None:
        """Retry a batch until it is handled, or its partitions belong to another worker."""
        delay = self._retry_delay
        while not self._app.should_stop:
            # After a rebalance, the new owner (possibly this worker) gets the same events again.
            ours = [event for event in batch if self._is_ours(event)]
            if not ours:
                return
            if not self._holds_lease():
                await asyncio.sleep(_LEASE_CHECK_INTERVAL)
                continue
            try:
                await self._handle(ours)
            except DatabaseRefuses:
                raise  # it ends the worker, with the server's words; the commands are not acked, so they come again
            except Exception as error:  # noqa: BLE001 -- skipping the batch would lose commands, whatever the error
                RETRIED.inc()
                partitions = sorted({event.message.tp.partition for event in ours})
                log.warning("batch_failed", partitions=partitions, commands=len(ours), error=repr(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_RETRY_DELAY)
                continue
            for event in ours:
                event.ack()
            return

    def _is_ours(self, event: EventT[bytes]) -> bool:
        return event.message.generation_id == self._app.consumer_generation_id
