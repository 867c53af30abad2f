"""Publishes notices to all api processes and replies to the senders of commands, only after the database write."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from agents.answers import Answer
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig
from hub.bus.messages import Notice, Replies, Reply
from hub.bus.reply_sockets import ReplySockets
from hub.bus.signatures import SIGNATURE
from hub.scheduling.commands import Command, CommandAdapter

log = structlog.get_logger(__name__)

_REPLY_TIMEOUT = 2.0
"""Seconds to send a reply. By then the requester has sent the command again."""


@dataclass(frozen=True)
class Origin:
    """The origin of a command: the doctor's partition, and the reply topic (None: no reply is wanted)."""

    partition: int
    reply_to: str | None


class Publisher:
    """Sends with its own Kafka producer, between `start` and `stop`."""

    def __init__(self, broker: BrokerConfig) -> None:
        self._broker = broker
        self._producer = AIOKafkaProducer(**broker.producer)
        self._sockets = ReplySockets(broker.reply_sockets)
        self._replying: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect. Raises KafkaError if the broker cannot be reached."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send the queued messages and disconnect."""
        await asyncio.gather(*self._replying)
        self._sockets.close()
        await self._producer.stop()

    async def publish(self, answers: Sequence[tuple[Answer, Origin]]) -> None:
        """Send the notices, in order, to their partitions, and each reply to the process that asked.

        Returns when the broker has the notices. Raises KafkaError if it does not accept them. It does not wait for
        replies: the requesting process may be gone, and if it lives it sends an unanswered command again.
        """
        notices: dict[int, list[Notice]] = defaultdict(list)
        replies: dict[str, list[Reply]] = defaultdict(list)
        for answer, origin in answers:
            if answer.notices:
                notices[origin.partition] += answer.notices
            if origin.reply_to:
                replies[origin.reply_to].append(answer.reply)
        self._send_replies(replies)
        # The producer has one request under way. Replies that are queued first leave with the notices, not after them.
        await asyncio.sleep(0)
        queued = [await self._send_notices(partition, of_partition) for partition, of_partition in notices.items()]
        if queued:
            await asyncio.gather(*chain.from_iterable(queued))

    async def send_command(self, command: Command) -> None:
        """Send a command of the hub itself to its doctor's actor. Returns when the broker has it. Raises KafkaError."""
        encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
        await self._producer.send_and_wait(
            topics.COMMANDS,
            encoded,
            key=command.doctor_id.encode(),
            partition=topics.partition_of(command.doctor_id, self._broker.partitions),
            headers=[(SIGNATURE, self._broker.signatures.sign(encoded))],
        )

    async def reject(self, value: bytes | None, key: bytes | None) -> None:
        """Move an unreadable message to the topic of rejected messages, where an operator can inspect it."""
        await self._producer.send_and_wait(topics.REJECTED, value, key=key)

    async def _send_notices(self, partition: int, notices: Iterable[Notice]) -> list[asyncio.Future[object]]:
        """Queue the notices in as few batches as their size allows. Returns one future per batch."""
        sent = []
        batch = self._producer.create_batch()
        for notice in notices:
            key = notice.doctor_id.encode()
            value = notice.model_dump_json(by_alias=True).encode()
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append(await self._send(batch, partition))
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        if batch.record_count():
            sent.append(await self._send(batch, partition))
        return sent

    def _send_replies(self, replies: Mapping[str, list[Reply]]) -> None:
        for topic, of_topic in replies.items():
            task = asyncio.create_task(self._reply(topic, of_topic))
            self._replying.add(task)
            task.add_done_callback(self._replying.discard)

    async def _send(self, batch: Any, partition: int) -> asyncio.Future[object]:
        batch.close()
        future: asyncio.Future[object] = await self._producer.send_batch(batch, topics.EVENTS, partition=partition)
        return future

    async def _reply(self, topic: str, replies: list[Reply]) -> None:
        try:
            encoded = Replies.dump_json(replies, by_alias=True)
            async with asyncio.timeout(_REPLY_TIMEOUT):
                if not await self._sockets.send(topic, encoded):
                    await self._producer.send_and_wait(topic, encoded, partition=0)
        except (KafkaError, TimeoutError) as error:
            log.info("reply_not_sent", topic=topic, replies=len(replies), error=type(error).__name__)
