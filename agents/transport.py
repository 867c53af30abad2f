"""Faust's Kafka transport with cures. Chosen by a broker URL of the form `clinic://host:port`.

Faust-streaming 0.15.3 is pinned because the cures reach into private parts; `tests/agents/test_transport.py` fails
when one of those is gone. What each cures has been seen to lose or strand commands.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any, cast

import aiokafka
import faust
import structlog
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

log = structlog.get_logger(__name__)

_LOOK_WITHIN = 5.0
"""Seconds for a second look at where partitions end; who finds nothing out goes by the first one."""


class HubApp(faust.App):
    """A Faust app that knows whether its doctors are still its own and what its table lacks, and that writes no file.

    `fetch_wait_ms` is how long its broker may hold a fetch that finds nothing.
    """

    fetch_wait_ms: int
    lease_until: float = 0.0
    """By `time.monotonic`: until then the broker gives nobody else the partitions that are ours."""

    def holds_lease(self) -> bool:
        """Return whether what we take for ours is ours for certain.

        A worker that was stopped for longer than its session does not know that another one has its partitions, and a
        broker that comes back lets it fetch what is no longer its. The record keeps it from harm, but not from granting
        what the other one has refused.
        """
        return time.monotonic() < self.lease_until

    def entries_to_recover(self) -> int | None:
        """Return how many entries of its tables this worker waits for before it takes commands; None: for none."""
        recovery = cast("Any", self.tables).recovery
        return int(recovery.active_remaining_total()) if recovery.in_recovery else None

    def _create_directories(self) -> None:
        """Upstream makes folders for tables on disk. Ours are in memory, and kill -9 would leave the folders."""


class _Thread(driver.AIOKafkaConsumerThread):
    async def on_start(self) -> None:
        """Note when the broker last knew that we live: nobody upstream asks that."""
        await super().on_start()
        app = cast("HubApp", self.transport.app)
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 -- no option tells
        heartbeat = coordinator._do_heartbeat  # noqa: SLF001

        async def noted() -> bool:
            sent = time.monotonic()
            if known := await heartbeat():
                app.lease_until = sent + app.conf.broker_session_timeout
            return bool(known)

        coordinator._do_heartbeat = noted  # noqa: SLF001

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> aiokafka.AIOKafkaConsumer:
        """Upstream waits 1.5 s in a fetch, whatever the broker; ours is set per broker (`hub.bus.profiles`)."""
        consumer = super()._create_consumer(loop)
        app = cast("HubApp", self.transport.app)
        consumer._fetch_max_wait_ms = app.fetch_wait_ms  # noqa: SLF001 -- no option sets it
        return consumer

    async def _highwaters(self, partitions: list[TP]) -> Mapping[TP, int]:
        """Take the end of a partition from a fetch where that is further than what the broker lists.

        The embedded broker lists ends that are too low, and the recovery of a table stopped early.
        """
        ends = dict(await super()._highwaters(partitions))
        consumer = self._ensure_consumer()
        for partition in partitions:
            fetched = await _fetched_end(consumer, partition) if ends.get(partition) else None
            if fetched is not None:
                ends[partition] = max(ends[partition], fetched)
        return ends

    async def listed_ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Return where the broker says that these partitions end."""
        ends = await self.call_thread(self._ensure_consumer().end_offsets, list(partitions))
        return cast("Mapping[TP, int]", ends)


async def _fetched_end(consumer: aiokafka.AIOKafkaConsumer, partition: TP) -> int | None:
    """Return the end that the first fetch says, waiting at most 2 s for it."""
    for _ in range(100):
        if partition not in consumer.assignment():
            return None
        if (end := consumer.highwater(partition)) is not None:
            return int(end)
        await asyncio.sleep(0.02)
    return None


async def _fetched_ends(transport: Any, partitions: Collection[TP]) -> Mapping[TP, int]:
    """Return the ends that fetches say, as far as they say any: the embedded broker lists the start of its last batch.

    By a consumer of its own, because the worker's may be paused, and may stand where nothing can be fetched.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=driver.server_list(transport.url, transport.default_port), fetch_max_wait_ms=50
    )
    try:
        async with asyncio.timeout(_LOOK_WITHIN):
            await consumer.start()
            consumer.assign(list(partitions))
            await consumer.seek_to_end()
            ends = {partition: await _fetched_end(consumer, partition) for partition in partitions}
    except (KafkaError, OSError, TimeoutError):
        return {}
    finally:
        await consumer.stop()
    return {partition: end for partition, end in ends.items() if end is not None}


class Consumer(driver.Consumer):
    """Never commits past a command that has not been handled."""

    _first: Mapping[TP, int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._first = {}

    async def perform_seek(self) -> None:
        """Begin at the beginning of partitions of which nothing has been committed, or nothing that can be true."""
        await super().perform_seek()
        impossible = await self._impossible()
        self._committed_offset.update(dict.fromkeys(impossible))
        fresh = [partition for partition in self.assignment() if self._committed_offset[partition] is None]
        self._first = dict(await self.earliest_offsets(*fresh)) if fresh else {}
        # What was fetched before this seek is dropped. Upstream seeks where something has been committed, and nowhere
        # else: what had come to a partition before its first commit was decided by nobody.
        if first := {partition: at for partition, at in self._first.items() if not self._is_changelog_tp(partition)}:
            await self.seek_wait(first)

    async def _impossible(self) -> list[TP]:
        """Return the partitions that end before the offset that has been committed.

        A worker whose broker comes back empty repeats its last commit until the new one takes it. Upstream drops every
        message below what is committed, so nobody heard the commands of these doctors for more than a minute.
        """
        committed = {
            partition: offset for partition in self.assignment() if (offset := self._committed_offset[partition])
        }
        if not committed:
            return []
        thread = cast("_Thread", self._thread)
        try:
            listed = await thread.listed_ends(committed)
        except KafkaError:
            return []  # it is going away again, and who comes back asks anew
        beyond = [partition for partition, offset in committed.items() if offset > listed[partition]]
        if not beyond:
            return []
        fetched = await _fetched_ends(self.transport, beyond)
        impossible = [each for each in beyond if committed[each] > max(listed[each], fetched.get(each, 0))]
        if impossible:
            log.warning("commits_of_another_broker", partitions=sorted(each.partition for each in impossible))
        return impossible

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Upstream takes a jump in offsets for compaction. Commands are not compacted: it is a lost delivery."""
        if self._is_changelog_tp(tp):
            await super()._add_gap(tp, offset_from, offset_to)
        else:
            self.log.error(
                "hole in %s: %s to %s were not delivered, not committing past them", tp, offset_from, offset_to
            )

    def _new_offset(self, tp: TP) -> int | None:
        """Upstream commits past an unacked head when nothing was committed before (faust issue 606)."""
        acked, base = self._acked[tp], self._committed_offset[tp]
        if base is None:
            base = self._first.get(tp)
        if acked and base is not None and min(acked) > base:
            return None
        offset: int | None = super()._new_offset(tp)
        return offset

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """Registered under the entry point group `faust.transports` in pyproject.toml."""

    Consumer = Consumer
