"""The bus on a real broker that is killed and comes back without its data. Agents without Faust reply."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.actor.handler import CommandHandler
from agents.publisher import Publisher
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig, broker_config
from hub.bus.bus import Bus
from hub.bus.messages import Notice, SessionEnded
from hub.bus.ports import NoAnswer
from hub.bus.requests import RequestTimeouts
from hub.bus.topics import WrongPartitions
from hub.clock import system_clock
from hub.ops.local.broker import broker, broker_settings
from hub.ops.local.engines import start_engine
from hub.ops.local.kafka.fetch import fetch
from hub.ops.local.process import Process
from hub.scheduling.views import AppointmentView
from hub.settings import Settings
from tests.agents.actor_fixtures import NOW, SharedStore, book, cancel
from tests.stack import BROKER, until

LONG_REASON = "\N{THERMOMETER}" * 500


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Process]:
    if BROKER == "kafka":
        await fetch(print)
    process = await start_engine(
        lambda port: broker(BROKER, port, tmp_path / "kept"), None, lambda program: Process(program, tmp_path)
    )
    yield process
    if process.alive:
        await process.kill()


@pytest.fixture
def place(server: Process) -> BrokerConfig:
    no_sockets = Path("/dev/null")  # replies come over the broker
    return broker_config(Settings.model_construct(None, data_dir=no_sockets, **broker_settings(BROKER, server.port)))


@asynccontextmanager
async def bus_at(
    place: BrokerConfig, store: SharedStore, timeouts: RequestTimeouts | None = None
) -> AsyncIterator[tuple[Bus, list[Notice]]]:
    """Run a bus. Yields it and the list of delivered notices."""
    delivered: list[Notice] = []
    bus = Bus(place, store.records, system_clock, delivered.append, print, timeouts)
    run = asyncio.create_task(bus.run())
    try:
        yield bus, delivered
    finally:
        run.cancel()
        (ended,) = await asyncio.gather(run, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended


@asynccontextmanager
async def agents_at(place: BrokerConfig, store: SharedStore) -> AsyncIterator[None]:
    """Reply to all commands on the broker, beginning with the first one."""
    admin = AIOKafkaAdminClient(**place.client)
    await admin.start()
    await topics.create(
        admin, {topics.COMMANDS: place.partitions, topics.EVENTS: place.partitions, topics.REJECTED: 1}, 1
    )
    await admin.close()
    publisher = Publisher(place)
    await publisher.start()
    handler = CommandHandler(store.worker(), publisher, lambda: store.now, place.signatures)
    consumer = AIOKafkaConsumer(
        **place.client, fetch_max_wait_ms=50, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([TopicPartition(topics.COMMANDS, number) for number in range(place.partitions)])

    async def answer() -> None:
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                events = [
                    SimpleNamespace(
                        value=each.value,
                        key=each.key,
                        headers=each.headers,
                        message=SimpleNamespace(tp=partition, offset=each.offset),
                    )
                    for each in records
                ]
                await handler.handle(events)

    answering = asyncio.create_task(answer())
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        await consumer.stop()
        await publisher.stop()


async def until_connected(bus: Bus, *, connected: bool = True) -> None:
    await until(lambda: bus.connected is connected, f"connected: {connected}", within=15)


async def test_a_command_goes_to_its_actor_and_the_answer_comes_back_and_everybody_hears_of_it(
    place: BrokerConfig, store: SharedStore
) -> None:
    async with bus_at(place, store) as (bus, heard), bus_at(place, store) as (other, heard_there):
        await until_connected(bus)
        await until_connected(other)
        async with agents_at(place, store):
            assert await bus.follow("ada") == 0
            wanted = [book("carl", at=number, reason=LONG_REASON) for number in range(40)]
            replies = await asyncio.gather(*(bus.ask(command) for command in wanted))
            assert all(isinstance(reply.result, AppointmentView) for reply in replies)
            assert [reply.command_id for reply in replies] == [command.id for command in wanted]
            for told in (heard, heard_there):
                await until(lambda told=told: len(told) == 40, "all notices are delivered")
                assert [notice.event.seq for notice in told] == list(range(1, 41))


async def test_every_process_receives_the_end_of_a_session(place: BrokerConfig, store: SharedStore) -> None:
    heard: list[list[SessionEnded]] = [[], []]
    buses = [Bus(place, store.records, system_clock, print, of_one.append) for of_one in heard]
    running = [asyncio.create_task(bus.run()) for bus in buses]
    for bus in buses:
        await until_connected(bus)
    ended = SessionEnded(session_id="log-in", at=NOW)
    await buses[0].announce(ended)
    await until(lambda: heard == [[ended], [ended]], "both have heard of it", within=1)
    for run in running:
        run.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await buses[0].announce(ended)  # without a broker: nobody hears it, and nothing fails


async def test_each_process_receives_only_its_own_replies(place: BrokerConfig, store: SharedStore) -> None:
    async with bus_at(place, store) as (bus, _), bus_at(place, store) as (other, _):
        await until_connected(bus)
        await until_connected(other)
        async with agents_at(place, store):
            mine, theirs = book("carl", at=0), book("dora", at=1)
            replies = await asyncio.gather(bus.ask(mine), other.ask(theirs))
            assert [reply.command_id for reply in replies] == [mine.id, theirs.id]


async def test_an_unreadable_message_does_not_block_others(place: BrokerConfig, store: SharedStore) -> None:
    async with bus_at(place, store) as (bus, heard):
        await until_connected(bus)
        async with AIOKafkaProducer(**place.client) as stranger:
            for value in (b"", b"{", b'{"doctorId": "ada"}', None):
                await stranger.send_and_wait(topics.EVENTS, value, key=b"ada")
                await stranger.send_and_wait(topics.COMMANDS, value, key=b"ada")
        async with agents_at(place, store):
            await bus.ask(book("carl"))
            await until(lambda: len(heard) == 1, "the notice is delivered")


async def test_a_broker_that_comes_back_empty_is_noticed_and_everything_goes_on(
    server: Process, place: BrokerConfig, store: SharedStore, tmp_path: Path
) -> None:
    async with bus_at(place, store) as (bus, heard):
        await until_connected(bus)
        await bus.follow("ada")
        first = book("carl")
        async with agents_at(place, store):
            await bus.ask(first)
        await until(lambda: len(heard) == 1, "the notice is delivered")
        await server.kill()
        await until_connected(bus, connected=False)
        shutil.rmtree(tmp_path / "kept", ignore_errors=True)
        missed = await store.worker().handle([cancel(first)])
        await server.start_and_wait()
        await until_connected(bus)
        async with agents_at(place, store):
            reply = await bus.ask(book("dora"))
        assert isinstance(reply.result, AppointmentView)
        await until(lambda: len(heard) == 3, "all notices are delivered")
        assert [notice.event.seq for notice in heard] == [1, 2, 3]
        assert missed[0].notices == (heard[1],)


async def test_an_empty_broker_is_noticed_although_a_late_reply_has_created_the_reply_topic_there(
    server: Process, place: BrokerConfig, store: SharedStore, tmp_path: Path
) -> None:
    async with bus_at(place, store) as (bus, _):
        await until_connected(bus)
        assert bus._connection
        reply_topic = bus._connection.reply_topic
        await server.kill()
        await until_connected(bus, connected=False)
        shutil.rmtree(tmp_path / "kept", ignore_errors=True)
        await server.start_and_wait()
        admin = AIOKafkaAdminClient(**place.client)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(reply_topic, 1, 1)])
        finally:
            await admin.close()
        await until(lambda: bool(bus._connection) and bus._connection.reply_topic != reply_topic, "a new connection")
        async with agents_at(place, store):
            assert isinstance((await bus.ask(book("carl"))).result, AppointmentView)


async def test_a_command_that_is_under_way_when_the_broker_dies_is_answered_when_it_is_back(
    server: Process, place: BrokerConfig, store: SharedStore
) -> None:
    patient = RequestTimeouts(give_up_after=60.0)  # Apache Kafka takes long to start on a busy machine
    async with bus_at(place, store, patient) as (bus, _):
        await until_connected(bus)
        asking = asyncio.create_task(bus.ask(book("carl")))
        await until(lambda: bool(bus._requests._answers), "the command is under way")
        await server.kill()
        await server.start_and_wait()
        await until_connected(bus)
        async with agents_at(place, store):
            assert isinstance((await asking).result, AppointmentView)


async def test_without_a_broker_a_command_is_not_answered_and_a_broker_that_comes_later_is_used(
    server: Process, place: BrokerConfig, store: SharedStore
) -> None:
    await server.kill()
    async with bus_at(place, store, RequestTimeouts(give_up_after=3)) as (bus, _):
        with pytest.raises(NoAnswer):
            await bus.ask(book("carl"))
        assert not bus.connected
        await server.start_and_wait()
        await until_connected(bus)
        async with agents_at(place, store):
            assert isinstance((await bus.ask(book("carl"))).result, AppointmentView)


async def test_a_process_leaves_no_topic_of_its_own_behind(place: BrokerConfig, store: SharedStore) -> None:
    async with bus_at(place, store) as (bus, _):
        await until_connected(bus)
        assert await reply_topics(place)
    assert not await reply_topics(place)


async def test_topics_with_another_number_of_partitions_end_the_process_with_a_word_what_to_do(
    place: BrokerConfig, store: SharedStore
) -> None:
    async with bus_at(place, store) as (bus, _):
        await until_connected(bus)
    more = replace(place, partitions=place.partitions + 1)
    run = asyncio.create_task(Bus(more, store.records, system_clock, print, print).run())
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run, 15)
    assert caught.group_contains(WrongPartitions, match="KAFKA_PARTITIONS", depth=1)


async def reply_topics(place: BrokerConfig) -> list[str]:
    admin = AIOKafkaAdminClient(**place.client)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if name.startswith("clinic.replies.")]
    finally:
        await admin.close()
