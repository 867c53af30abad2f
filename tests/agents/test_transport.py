"""The fixes of Faust's transport. Each uses private names, and each test fails when such a name is gone.

If a fix corrects a defect of Faust, the test also asserts the defect. When that assertion fails, the fix can be
removed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from types import SimpleNamespace

import aiokafka
import faust
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents import transport
from agents.transport import Consumer, HubApp, Transport

TP0 = TP("clinic.commands", 0)
CHANGELOG = TP("agents-days-changelog", 0)


async def _nothing(*_: object) -> None:
    pass


def _give_table(app: HubApp) -> None:
    """Add the table of `CHANGELOG` to the app."""
    assert isinstance(app.tables, TableManager)
    app.tables._changelogs[CHANGELOG.topic] = app.Table("days", partitions=1)


@pytest.fixture
def app() -> HubApp:
    app = HubApp("agents", broker="clinic://127.0.0.1:1", store="memory://", web_enabled=False, topic_partitions=4)
    app.fetch_wait_ms = 77
    return app


@pytest.fixture
def consumer(app: HubApp) -> Consumer:
    made = app.transport.create_consumer(
        callback=_nothing, on_partitions_revoked=_nothing, on_partitions_assigned=_nothing
    )
    assert isinstance(made, Consumer)
    return made


@pytest.fixture
async def made(app: HubApp, consumer: Consumer) -> AsyncIterator[list[aiokafka.AIOKafkaConsumer]]:
    """The aiokafka consumers of a worker and of a client, as the consumer's thread creates them."""
    loop = asyncio.get_running_loop()
    made = []
    for app.client_only in (False, True):
        made.append(consumer._thread._create_consumer(loop))
    yield made
    for each in made:
        await each.stop()


def test_a_broker_url_that_begins_with_clinic_chooses_our_transport(app: HubApp) -> None:
    assert isinstance(app.transport, Transport)
    assert faust.App("other", broker="kafka://127.0.0.1:1").transport.__class__ is driver.Transport


async def test_a_fetch_waits_as_long_as_the_profile_of_the_broker_says(
    made: list[aiokafka.AIOKafkaConsumer],
) -> None:
    assert [each._fetch_max_wait_ms for each in made] == [77, 77]


async def test_upstream_takes_the_wait_of_a_fetch_from_where_we_set_it_and_has_no_option_for_it(
    consumer: Consumer,
) -> None:
    plain = driver.AIOKafkaConsumerThread._create_consumer(consumer._thread, asyncio.get_running_loop())
    given = aiokafka.AIOKafkaConsumer(fetch_max_wait_ms=123)
    try:
        assert plain._fetch_max_wait_ms == 1500
        assert given._fetch_max_wait_ms == 123
    finally:
        await plain.stop()
        await given.stop()


async def test_a_lease_lasts_a_session_from_a_heartbeat_that_the_broker_answered(
    app: HubApp, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hasattr(GroupCoordinator, "_do_heartbeat")
    answers = iter([False, True, False])

    async def heartbeat() -> bool:
        return next(answers)

    coordinator = SimpleNamespace(_do_heartbeat=heartbeat)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "on_start", _nothing)
    consumer._thread._consumer = SimpleNamespace(_coordinator=coordinator)
    await consumer._thread.on_start()
    held = [app.holds_lease()]
    for _ in range(3):
        await coordinator._do_heartbeat()
        held.append(app.holds_lease())
    assert held == [False, False, True, True]
    left = app.lease_until - time.monotonic()
    assert left <= app.conf.broker_session_timeout
    monkeypatch.setattr(app, "lease_until", app.lease_until - app.conf.broker_session_timeout)
    assert not app.holds_lease()


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"), False),
        (RuntimeError("anything else"), True),
    ],
)
async def test_a_commit_on_a_connection_that_has_just_ended_does_not_end_the_process(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, error: RuntimeError, *, ends: bool
) -> None:
    async def commit(_: object) -> None:
        raise error

    async def crash(_thread: object, reason: BaseException) -> None:
        crashes.append(reason)

    crashes: list[BaseException] = []
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "crash", crash)
    consumer._thread._consumer = SimpleNamespace(commit=commit, assignment=lambda: {TP0})
    assert not await consumer._thread._commit({TP0: 7})
    assert crashes == ([error] if ends else [])


def test_no_folder_is_made_for_tables_that_are_in_memory(
    app: HubApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app._create_directories()
    assert not list(tmp_path.iterdir())
    faust.App._create_directories(app)
    assert list(tmp_path.iterdir()), "upstream makes no folders any more: the cure can go"


def test_a_first_command_that_is_not_acked_is_not_committed_past(consumer: Consumer) -> None:
    consumer._first = {TP0: 0}
    consumer._acked[TP0] = [1, 2, 3]
    assert driver.Consumer._new_offset(consumer, TP0) == 4, "upstream has mended faust issue 606: the cure can go"
    consumer._acked[TP0] = [1, 2, 3]
    assert consumer._new_offset(TP0) is None
    consumer._acked[TP0] = [0, 1, 2, 3]
    assert consumer._new_offset(TP0) == 4


def test_a_command_that_is_not_acked_is_not_committed_past_later_either(consumer: Consumer) -> None:
    consumer._committed_offset[TP0] = 10
    consumer._acked[TP0] = [11, 12]
    assert driver.Consumer._new_offset(consumer, TP0) == 13, "upstream has mended faust issue 606: the cure can go"
    consumer._acked[TP0] = [11, 12]
    assert consumer._new_offset(TP0) is None
    consumer._acked[TP0] = [10, 11, 13]
    assert consumer._new_offset(TP0) == 12


def test_where_nothing_is_known_of_a_partition_upstream_decides(consumer: Consumer) -> None:
    consumer._acked[TP0] = [4, 5]
    assert consumer._new_offset(TP0) == 6
    assert consumer._new_offset(TP0) is None


async def test_a_gap_in_the_commands_is_a_lost_delivery_and_not_committed_past(consumer: Consumer) -> None:
    consumer._committed_offset[TP0] = 0
    await driver.Consumer._add_gap(consumer, TP0, 2, 4)
    consumer._acked[TP0] = [0, 1, 5]
    assert driver.Consumer._new_offset(consumer, TP0) == 6, "upstream commits no more past holes: the cure can go"
    consumer._gap.clear()
    await consumer._add_gap(TP0, 2, 4)
    consumer._acked[TP0] = [0, 1, 5]
    assert consumer._new_offset(TP0) == 2


async def test_a_gap_in_a_changelog_is_compaction(app: HubApp, consumer: Consumer) -> None:
    _give_table(app)
    consumer._committed_offset[CHANGELOG] = 0
    await consumer._add_gap(CHANGELOG, 2, 4)
    consumer._acked[CHANGELOG] = [0, 1, 5]
    assert consumer._new_offset(CHANGELOG) == 6


async def test_at_every_seek_partitions_without_a_commit_begin_at_their_beginning_but_changelogs_stay(
    app: HubApp, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, old = TP("clinic.commands", 1), TP("clinic.commands", 2)
    _give_table(app)
    sought: dict[TP, int] = {}

    async def committed() -> Mapping[TP, int | None]:
        return {fresh: None, old: 12, CHANGELOG: None}

    async def earliest(*partitions: TP) -> Mapping[TP, int]:
        assert set(partitions) == {fresh, CHANGELOG}
        return {fresh: 7, CHANGELOG: 3}

    async def listed(partitions: Collection[TP]) -> Mapping[TP, int]:
        assert set(partitions) == {old}
        return {old: 12}

    async def seek_wait(partitions: Mapping[TP, int]) -> None:
        sought.update(partitions)

    monkeypatch.setattr(consumer, "seek_to_committed", committed)
    monkeypatch.setattr(consumer, "earliest_offsets", earliest)
    monkeypatch.setattr(consumer, "assignment", lambda: {fresh, old, CHANGELOG})
    monkeypatch.setattr(consumer._thread, "listed_ends", listed)
    monkeypatch.setattr(consumer, "seek_wait", seek_wait)
    await driver.Consumer.perform_seek(consumer)
    assert sought == {}, "upstream seeks without a commit, too: the cure can go"
    await consumer.perform_seek()
    assert sought == {fresh: 7}
    assert consumer._committed_offset[old] == 12
    consumer._acked[fresh] = [8]
    assert consumer._new_offset(fresh) is None
    consumer._acked[fresh] = [7, 8]
    assert consumer._new_offset(fresh) == 9


async def test_a_partition_that_ends_before_what_was_committed_begins_anew(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, listed_too_low, impossible, unknown = (TP("clinic.commands", number) for number in range(4))
    sought: dict[TP, int] = {}

    async def committed() -> Mapping[TP, int | None]:
        return {true: 12, listed_too_low: 12, impossible: 607, unknown: 12}

    async def listed(_: Collection[TP]) -> Mapping[TP, int]:
        return {true: 12, listed_too_low: 3, impossible: 3, unknown: 11}

    async def fetched(_: object, partitions: Collection[TP]) -> Mapping[TP, int]:
        assert set(partitions) == {listed_too_low, impossible, unknown}
        return {listed_too_low: 12, impossible: 9}

    async def earliest(*partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def seek_wait(partitions: Mapping[TP, int]) -> None:
        sought.update(partitions)

    monkeypatch.setattr(consumer, "seek_to_committed", committed)
    monkeypatch.setattr(consumer, "assignment", lambda: {true, listed_too_low, impossible, unknown})
    monkeypatch.setattr(consumer._thread, "listed_ends", listed)
    monkeypatch.setattr(transport, "_fetched_ends", fetched)
    monkeypatch.setattr(consumer, "earliest_offsets", earliest)
    monkeypatch.setattr(consumer, "seek_wait", seek_wait)
    await consumer.perform_seek()
    assert sought == {impossible: 0, unknown: 0}
    consumer._acked[impossible] = [0, 1]
    assert consumer._new_offset(impossible) == 2
    consumer._acked[true] = [12]
    assert consumer._new_offset(true) == 13


async def test_the_end_of_a_partition_is_what_a_fetch_says_where_that_is_further(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer, shorter, empty, lost = (TP("days", number) for number in range(4))
    thread = consumer._thread
    monkeypatch.setattr(
        thread,
        "_consumer",
        Ends(listed={longer: 5, shorter: 9, empty: 0, lost: 3}, fetched={longer: 8, shorter: 7}, lost={lost}),
    )
    ends = await thread._highwaters([longer, shorter, empty, lost])
    assert ends == {longer: 8, shorter: 9, empty: 0, lost: 3}


class Ends:
    """A fake aiokafka consumer. Its ends of partitions differ between `end_offsets` and a fetch."""

    def __init__(self, listed: Mapping[TP, int], fetched: Mapping[TP, int], lost: set[TP]) -> None:
        self._listed = listed
        self._fetched = fetched
        self._lost = lost
        self._looked: set[TP] = set()

    async def end_offsets(self, partitions: list[TP]) -> Mapping[TP, int]:
        return {partition: self._listed[partition] for partition in partitions}

    def assignment(self) -> set[TP]:
        return self._listed.keys() - self._lost

    def highwater(self, partition: TP) -> int | None:
        if partition not in self._looked:  # nothing has been fetched yet
            self._looked.add(partition)
            return None
        return self._fetched[partition]


@pytest.mark.parametrize("name", ["assignment", "highwater", "end_offsets"])
def test_aiokafka_has_what_the_stand_in_above_stands_for(name: str) -> None:
    assert callable(getattr(aiokafka.AIOKafkaConsumer, name))
