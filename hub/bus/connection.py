"""The connection of one api process to one incarnation of the broker. It is discarded if the broker loses its data."""

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
from hub.bus.signatures import SIGNATURE
from hub.scheduling.commands import Command

log = structlog.get_logger(__name__)
_Message = TypeVar("_Message")

_OPEN_TIMEOUT, _CLOSE_TIMEOUT = 15.0, 3.0
"""Seconds. Without a limit, a client waits for ever if the broker dies meanwhile."""

REPLY_TO = "reply-to"
"""The message header with the topic on which the sender receives replies."""


class Connection:
    """Sends commands, and passes on replies and notices as they arrive. Create it with `connect`."""

    def __init__(self, broker: BrokerConfig, instance: str) -> None:
        self._broker = broker
        self.reply_topic = topics.replies(instance)
        self._presence = topics.presence(instance)
        self._admin = AIOKafkaAdminClient(**broker.client)
        self._producer = AIOKafkaProducer(**broker.producer)
        self._consumer = AIOKafkaConsumer(
            **broker.client,
            fetch_max_wait_ms=broker.profile.fetch_wait_ms,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect, create the topics and seek to their ends. The stack undoes it. Raises KafkaError or OSError."""
        for client, close in (
            (self._admin, self._admin.close),
            (self._producer, self._producer.stop),
            (self._consumer, self._consumer.stop),
        ):
            stack.push_async_callback(_in_time, close)
            await client.start()
        await topics.create(
            self._admin,
            {
                topics.COMMANDS: self._broker.partitions,
                topics.EVENTS: self._broker.partitions,
                topics.SESSIONS: 1,
                self.reply_topic: 1,
                self._presence: 1,
            },
            self._broker.replication,
            self._broker.retention,
        )
        for own in (self.reply_topic, self._presence):
            stack.push_async_callback(_in_time, partial(topics.delete, self._admin, own))
        events = [TopicPartition(topics.EVENTS, number) for number in range(self._broker.partitions)]
        shared = [TopicPartition(topics.SESSIONS, 0), *events]
        assigned = [TopicPartition(self.reply_topic, 0), *shared]
        self._consumer.assign(assigned)
        await self._consumer.seek_to_end(*shared)
        for partition in assigned:  # resolve each position now: later messages are received
            await self._consumer.position(partition)

    async def send(self, command: Command, encoded: bytes) -> None:
        """Queue a command for its doctor's actor. It may wait for the broker. Raises KafkaError on failure."""
        reply_topic = self.reply_topic.encode()
        delivery = await self._producer.send(
            topics.COMMANDS,
            encoded,
            key=command.doctor_id.encode(),
            partition=topics.partition_of(command.doctor_id, self._broker.partitions),
            headers=[(REPLY_TO, reply_topic), (SIGNATURE, self._broker.signatures.sign(encoded, reply_topic))],
        )
        # Ignore a failed delivery: no reply arrives, and `Requests` sends the command again.
        delivery.add_done_callback(asyncio.Future.exception)

    async def announce(self, ended: SessionEnded) -> None:
        """Tell every api process that a session has ended. It may wait for the broker. Raises KafkaError."""
        delivery = await self._producer.send(
            topics.SESSIONS, ended.model_dump_json(by_alias=True).encode(), partition=0
        )
        delivery.add_done_callback(
            asyncio.Future.exception
        )  # ignore: a process that misses it reads it from the record

    async def receive(self, on_reply: Callable[[Reply], None], on_notice: OnNotice, on_ended: OnSessionEnded) -> None:
        """Pass on arriving messages until cancelled. Notices of one doctor arrive in the order of their sending."""
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=1000)).items():
                for record in records:
                    if partition.topic == self.reply_topic:
                        for reply in _decoded(Replies.validate_json, record):
                            on_reply(reply)
                    elif partition.topic == topics.SESSIONS:
                        for ended in _decoded(lambda value: [SessionEnded.model_validate_json(value)], record):
                            on_ended(ended)
                    else:
                        for notice in _decoded(lambda value: [NoticeAdapter.validate_json(value)], record):
                            on_notice(notice)

    async def until_data_lost(self, on_check: Callable[[bool], None]) -> None:
        """Return when the broker no longer has our presence topic: it has lost its data."""
        await until_data_lost(self._admin, self._presence, on_check)


@asynccontextmanager
async def connect(broker: BrokerConfig, instance: str) -> AsyncIterator[Connection]:
    """Stay connected to the broker inside the block. Raises KafkaError, OSError or TimeoutError when it cannot."""
    connection = Connection(broker, instance)
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(_OPEN_TIMEOUT):
            await connection.open(stack)
        yield connection


async def _in_time(close: Callable[[], Awaitable[None]]) -> None:
    """Close a client. Abandon a client that hangs, because waiting for it would delay the new connection."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await close()
    except TimeoutError:
        log.warning("client_close_timed_out", client=repr(close), after_s=_CLOSE_TIMEOUT)


def _decoded(decode: Callable[[bytes], list[_Message]], record: ConsumerRecord) -> list[_Message]:
    """Decode a message. An unreadable message is logged and skipped, so that it does not block the others."""
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
