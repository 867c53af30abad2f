"""Batches in order: what has come for a few partitions is handled together, acked whole, and then what came meanwhile.

Partitions share lanes. One lane would leave the database idle while the next batch is decided; a lane a partition would
pay for many small batches what one large one costs.
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
"""Commands in one batch: some 150 ms of the database's time, well within what a client waits."""
LANES = 2
"""Batches that are under way at a time (at 32 in flight: 640 bookings a second with 2, 616 with 4, 406 with 8)."""
_MOST_QUEUED = 2_000
_BACK_OFF_FIRST, _BACK_OFF_MOST = 0.1, 2.0
_LOOK_EVERY = 0.05
"""Seconds between two looks whether the broker has answered that what we have is still ours."""

Handle = Callable[[Sequence[EventT[bytes]]], Awaitable[None]]
"""Handles a batch, each partition's events in their order; after an error it is given the same events again."""


class Pump:
    """Feeds batches to `handle`. Never skips an ack and never acks out of order: Faust would commit past it."""

    def __init__(self, app: faust.App, handle: Handle, holds_lease: Callable[[], bool]) -> None:
        """Handle only while `holds_lease`; until it does, and the events are still ours, they wait."""
        self._app = app
        self._handle = handle
        self._holds_lease = holds_lease
        self._queues: dict[int, asyncio.Queue[EventT[bytes]]] = {}
        self._under_way = 0
        self._idle = asyncio.Event()
        QUEUED.set_function(lambda: self._under_way)

    async def feed(self, event: EventT[bytes]) -> None:
        """Queue an event of the command stream; waits when its lane has too many."""
        lane = event.message.tp.partition % LANES
        if lane not in self._queues:
            self._queues[lane] = asyncio.Queue(_MOST_QUEUED)
            self._app.add_future(self._run(self._queues[lane]))  # its death ends the worker
        await self._queues[lane].put(event)
        self._under_way += 1
        self._idle.clear()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is under way, at most this long; what is left comes again to the next owner."""
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
        """Handle a batch until it is done, or no longer ours."""
        delay = _BACK_OFF_FIRST
        while not self._app.should_stop:
            # After a rebalance the successor, who may be ourselves, is given the same events again.
            ours = [event for event in batch if self._is_ours(event)]
            if not ours:
                return
            if not self._holds_lease():
                await asyncio.sleep(_LOOK_EVERY)
                continue
            try:
                await self._handle(ours)
            except DatabaseRefuses:
                raise  # it ends the worker, with the server's words; the commands are not acked, so they come again
            except Exception as error:  # noqa: BLE001 -- whatever it is, skipping the batch would lose commands
                RETRIED.inc()
                partitions = sorted({event.message.tp.partition for event in ours})
                log.warning("batch_failed", partitions=partitions, commands=len(ours), error=repr(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, _BACK_OFF_MOST)
                continue
            for event in ours:
                event.ack()
            return

    def _is_ours(self, event: EventT[bytes]) -> bool:
        return event.message.generation_id == self._app.consumer_generation_id
