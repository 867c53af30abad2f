"""Faust's Kafka transport with corrections. A broker URL of the form `clinic://host:port` selects it.

Each correction fixes a defect that was seen to lose or strand commands. They override private members, so
faust-streaming 0.15.3 is pinned, and `tests/agents/test_transport.py` fails if one of the members is gone.
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
from faust.types.auth import CredentialsT

from hub.bus.security import PLAIN

log = structlog.get_logger(__name__)

_FETCHED_ENDS_TIMEOUT = 5.0
"""Seconds to find the ends of partitions by fetches. After that, the ends that the broker lists are used."""


class HubApp(faust.App):
    """A Faust app with a lease on its partitions and a count of missing table entries. It writes no files.

    `fetch_wait_ms` is how long the broker may hold a fetch that finds no data. `broker_security` has the arguments with
    which its own clients log in, as `conf.broker_credentials` has them for Faust's.
    """

    fetch_wait_ms: int
    broker_security: Mapping[str, Any] = PLAIN
    lease_until: float = 0.0
    """Until this time (`time.monotonic`) the broker assigns our partitions to no other worker."""

    def holds_lease(self) -> bool:
        """Return whether this worker certainly still owns its partitions.

        A worker that was suspended for longer than its session does not know that its partitions were reassigned, and a
        broker that comes back lets it fetch from them. The fences in the record prevent conflicting writes. They do not
        prevent this worker from accepting a command that the new owner has refused.
        """
        return time.monotonic() < self.lease_until

    def entries_to_recover(self) -> int | None:
        """Return how many table entries are missing before this worker takes commands, or None if it has them all."""
        recovery = cast("Any", self.tables).recovery
        return int(recovery.active_remaining_total()) if recovery.in_recovery else None

    def _create_directories(self) -> None:
        """Create no directories. Upstream creates them for tables on disk; our tables are in memory."""


def credentials(security: Mapping[str, Any]) -> CredentialsT | None:
    """Return Faust's form of the arguments with which a client logs in and encrypts."""
    context = security.get("ssl_context")
    match security:
        case {"sasl_oauth_token_provider": provider}:
            return faust.OAuthCredentials(oauth_cb=provider, ssl_context=context)
        case {"sasl_mechanism": mechanism, "sasl_plain_username": user, "sasl_plain_password": password}:
            return faust.SASLCredentials(mechanism=mechanism, username=user, password=password, ssl_context=context)
        case _:
            return faust.SSLCredentials(context) if context else None


class _Thread(driver.AIOKafkaConsumerThread):
    async def on_start(self) -> None:
        """Extend the lease at every successful heartbeat. Upstream does not expose heartbeats."""
        await super().on_start()
        app = cast("HubApp", self.transport.app)
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 -- there is no public access
        heartbeat = coordinator._do_heartbeat  # noqa: SLF001

        async def extend_lease() -> bool:
            sent = time.monotonic()
            if accepted := await heartbeat():
                app.lease_until = sent + app.conf.broker_session_timeout
            return bool(accepted)

        coordinator._do_heartbeat = extend_lease  # noqa: SLF001

    async def crash(self, reason: BaseException) -> None:
        """Go on after a commit on a connection that the broker has just ended: the next commit takes its offsets, too.

        aiokafka expects an `OSError` there. uvloop raises a `RuntimeError`, for which upstream ends the process.
        """
        if isinstance(reason, RuntimeError) and "the handler is closed" in str(reason):
            log.warning("commit_on_closed_connection", error=str(reason))
            return
        await super().crash(reason)

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> aiokafka.AIOKafkaConsumer:
        """Set the fetch wait of the broker (`hub.bus.profiles`). Upstream always waits 1.5 s."""
        consumer = super()._create_consumer(loop)
        app = cast("HubApp", self.transport.app)
        consumer._fetch_max_wait_ms = app.fetch_wait_ms  # noqa: SLF001 -- no option sets it
        return consumer

    async def _highwaters(self, partitions: list[TP]) -> Mapping[TP, int]:
        """Return the ends of partitions: the higher of the listed end and the end that a fetch reports.

        The embedded broker lists ends that are too low. With them, the recovery of a table stopped too early.
        """
        ends = dict(await super()._highwaters(partitions))
        consumer = self._ensure_consumer()
        for partition in partitions:
            fetched = await _fetched_end(consumer, partition) if ends.get(partition) else None
            if fetched is not None:
                ends[partition] = max(ends[partition], fetched)
        return ends

    async def listed_ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Return the end offsets that the broker lists."""
        ends = await self.call_thread(self._ensure_consumer().end_offsets, list(partitions))
        return cast("Mapping[TP, int]", ends)


async def _fetched_end(consumer: aiokafka.AIOKafkaConsumer, partition: TP) -> int | None:
    """Return the end that the first fetch reports. Wait at most 2 seconds for it."""
    for _ in range(100):
        if partition not in consumer.assignment():
            return None
        if (end := consumer.highwater(partition)) is not None:
            return int(end)
        await asyncio.sleep(0.02)
    return None


async def _fetched_ends(transport: Any, partitions: Collection[TP]) -> Mapping[TP, int]:
    """Return the ends that fetches report. The embedded broker lists the start of its last batch instead.

    It uses a separate consumer, because the worker's consumer may be paused or at a position without data.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=driver.server_list(transport.url, transport.default_port),
        fetch_max_wait_ms=50,
        **transport.app.broker_security,
    )
    try:
        async with asyncio.timeout(_FETCHED_ENDS_TIMEOUT):
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
        """Seek to the committed offsets, or to the beginning of partitions without a possible commit."""
        await super().perform_seek()
        impossible = await self._impossible()
        self._committed_offset.update(dict.fromkeys(impossible))
        fresh = [partition for partition in self.assignment() if self._committed_offset[partition] is None]
        self._first = dict(await self.earliest_offsets(*fresh)) if fresh else {}
        # Messages fetched before this seek are dropped. Upstream seeks only in partitions with a commit. In other
        # partitions it never handled the messages that arrived before the first commit.
        if first := {partition: at for partition, at in self._first.items() if not self._is_changelog_tp(partition)}:
            await self.seek_wait(first)

    async def _impossible(self) -> list[TP]:
        """Return the partitions that end before their committed offset.

        If the broker comes back without its data, a worker repeats its last commit until the broker accepts it.
        Upstream drops every message below the committed offset, so it ignored commands for over a minute.
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
            return []  # the broker is unreachable again; after the reconnect this check is repeated
        beyond = [partition for partition, offset in committed.items() if offset > listed[partition]]
        if not beyond:
            return []
        fetched = await _fetched_ends(self.transport, beyond)
        impossible = [each for each in beyond if committed[each] > max(listed[each], fetched.get(each, 0))]
        if impossible:
            log.warning("commits_beyond_end", partitions=sorted(each.partition for each in impossible))
        return impossible

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do not commit past a gap in the offsets of commands. Upstream takes a gap for compaction.

        Command topics are not compacted, so a gap is a lost delivery.
        """
        if self._is_changelog_tp(tp):
            await super()._add_gap(tp, offset_from, offset_to)
        else:
            self.log.error(
                "gap in %s: offsets %s to %s were not delivered, not committing past them", tp, offset_from, offset_to
            )

    def _new_offset(self, tp: TP) -> int | None:
        """Do not commit past an unacknowledged first message. Upstream does so before the first commit (issue 606)."""
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
    """Registered in pyproject.toml in the entry point group `faust.transports`."""

    Consumer = Consumer
