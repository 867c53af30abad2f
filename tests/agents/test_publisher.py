"""In which order notices and replies are handed to the producer."""

import asyncio
from pathlib import Path
from typing import Any

from agents.answers import refusal
from agents.publisher import Origin, Publisher
from hub.bus import topics
from hub.bus.broker_config import broker_config
from hub.scheduling.decision import RefusalCode, Refused
from hub.settings import Settings
from tests.agents.actor_fixtures import SharedStore, book
from tests.stack import until


class Producer:
    """Takes messages as aiokafka's producer does, and notes to which topics."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.answered = asyncio.Event()

    def create_batch(self) -> Any:
        return Batch()

    async def send_batch(self, _: object, topic: str, **__: object) -> asyncio.Future[object]:
        self.topics.append(topic)
        return asyncio.ensure_future(self.answered.wait())

    async def send_and_wait(self, topic: str, *_: object, **__: object) -> None:
        self.topics.append(topic)
        await self.answered.wait()


class Batch:
    """A batch of messages with room for all."""

    def __init__(self) -> None:
        self._size = 0

    def append(self, **_: object) -> object:
        self._size += 1
        return self

    def record_count(self) -> int:
        return self._size

    def close(self) -> None:
        return


async def test_a_reply_is_queued_before_the_notices_so_that_one_request_takes_both() -> None:
    store = SharedStore()
    await store.open()
    (booked,) = await store.worker().handle([book("carl")])
    nowhere = Settings.model_construct(None, data_dir=Path("/dev/null"), kafka_bootstrap_servers="127.0.0.1:9")
    publisher, producer = Publisher(broker_config(nowhere)), Producer()
    publisher._producer = producer  # type: ignore[assignment]  # what is used of it
    reply_topic = topics.replies("0123abcd")
    refused = refusal(book("dora"), Refused(RefusalCode.SLOT_TAKEN, "This slot is taken."))
    publishing = asyncio.create_task(publisher.publish([(booked, Origin(0, reply_topic)), (refused, Origin(0, None))]))
    await until(lambda: len(producer.topics) == 2, "both are queued")
    assert producer.topics == [reply_topic, topics.EVENTS]
    producer.answered.set()
    await publishing
