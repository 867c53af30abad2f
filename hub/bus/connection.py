"""One api process's connection to one life of the broker: made, used, and thrown away when the broker forgets it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import ValidationError

from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.bus.broker_incarnation import until_data_lost
from hub.bus.messages import NoticeAdapter, Replies, Reply, SessionEnded
from hub.bus.ports import OnNotice, OnSessionEnded
from hub.scheduling.commands import Command

log = structlog.get_logger(__name__)
_Message = TypeVar("_Message")

_OPEN_WITHIN, _CLOSE_WITHIN = 15.0, 3.0
"""Seconds; a broker that dies meanwhile leaves its clients waiting without end."""

REPLY_TO = "reply-to"
"""The header that names the topic on which the sender hears the answer."""


class Connection:
    """Sends commands, and hands over replies and notices as they come. Make one with `connect`."""

    def __init__(self, broker: BrokerConfig, instance: str) -> None:
        self._broker = broker
        self._reply_topic = topics.replies(instance)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=broker.servers)
        self._producer = AIOKafkaProducer(bootstrap_servers=broker.servers, acks="all", request_timeout_ms=5_000)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.servers,
            fetch_max_wait_ms=broker.profile.fetch_wait_ms,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect, make the topics, and stand at the end of them; the stack undoes it. Raises KafkaError, OSError."""
        for client, close in (
            (self._admin, self._admin.close),
            (self._producer, self._producer.stop),
            (self._consumer, self._consumer.stop),
        ):
            stack.push_async_callback(_in_time, close)
            await client.start()
        await topics.make(
            self._admin,
            {
                topics.COMMANDS: self._broker.partitions,
                topics.EVENTS: self._broker.partitions,
                topics.SESSIONS: 1,
                self._reply_topic: 1,
            },
            self._broker.replication,
        )
        stack.push_async_callback(_in_time, partial(topics.remove, self._admin, self._reply_topic))
        events = [TopicPartition(topics.EVENTS, number) for number in range(self._broker.partitions)]
        shared = [TopicPartition(topics.SESSIONS, 0), *events]
        assigned = [TopicPartition(self._reply_topic, 0), *shared]
        self._consumer.assign(assigned)
        await self._consumer.seek_to_end(*shared)
        for partition in assigned:  # resolves each position now: what is sent from here on is heard
            await self._consumer.position(partition)

    async def send(self, command: Command, encoded: bytes) -> None:
        """Queue a command for its doctor's actor. May wait for the broker; raises KafkaError when it gives up."""
        delivery = await self._producer.send(
            topics.COMMANDS,
            encoded,
            key=command.doctor_id.encode(),
            partition=topics.partition_of(command.doctor_id, self._broker.partitions),
            headers=[(REPLY_TO, self._reply_topic.encode())],
        )
        # A lost command shows itself by its missing answer, and the sender repeats it.
        delivery.add_done_callback(asyncio.Future.exception)

    async def announce(self, ended: SessionEnded) -> None:
        """Tell every api process that a log-in is over. May wait for the broker; raises KafkaError."""
        delivery = await self._producer.send(
            topics.SESSIONS, ended.model_dump_json(by_alias=True).encode(), partition=0
        )
        delivery.add_done_callback(asyncio.Future.exception)  # who does not hear it finds it in the record

    async def receive(self, on_reply: Callable[[Reply], None], on_notice: OnNotice, on_ended: OnSessionEnded) -> None:
        """Hand over what arrives, for ever. Notices of a doctor come in the order in which the agents sent them."""
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    if partition.topic == self._reply_topic:
                        for reply in _decoded(Replies.validate_json, record):
                            on_reply(reply)
                    elif partition.topic == topics.SESSIONS:
                        for ended in _decoded(lambda value: [SessionEnded.model_validate_json(value)], record):
                            on_ended(ended)
                    else:
                        for notice in _decoded(lambda value: [NoticeAdapter.validate_json(value)], record):
                            on_notice(notice)

    async def until_data_lost(self, seen: Callable[[bool], None]) -> None:
        """Return when the broker answers without knowing us: it has lost its data."""
        await until_data_lost(self._admin, self._reply_topic, seen)


@asynccontextmanager
async def connect(broker: BrokerConfig, instance: str) -> AsyncIterator[Connection]:
    """Connect to the broker for the length of the block. Raises KafkaError, OSError or TimeoutError when it cannot."""
    connection = Connection(broker, instance)
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(_OPEN_WITHIN):
            await connection.open(stack)
        yield connection


async def _in_time(close: Callable[[], Awaitable[None]]) -> None:
    """Close a client; one that hangs is let go, for nothing would be connect anew as long as it is waited for."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await close()
    except TimeoutError:
        log.warning("not_closed_in_time", what=repr(close), after_s=_CLOSE_WITHIN)


def _decoded(decode: Callable[[bytes], list[_Message]], record: ConsumerRecord) -> list[_Message]:
    """Return what a message says; one that cannot be read is logged and left, so that it stops nothing."""
    try:
        return decode(record.value)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)  # no personal data
        log.error(  # noqa: TRY400 -- a traceback would show the message
            "unreadable_message",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            problems=[f"{problem['loc']}: {problem['type']}" for problem in problems],
        )
        return []
