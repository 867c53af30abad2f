"""How a process notices that the broker came back without its data.

A client library reconnects and goes on as if nothing had happened: at offsets that mean other messages now, waiting
for topics that are gone. So each process owns one topic that nobody else makes. A broker that answers and does not
know it has been emptied, and everything that was built on the old one has to be built again.
"""

import asyncio
from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

LOOK_EVERY = 1.0
"""Seconds between two looks."""
_PATIENCE = 2.0
"""Seconds to wait for one answer."""


async def until_data_lost(admin: AIOKafkaAdminClient, topic: str, seen: Callable[[bool], None]) -> None:
    """Return when a broker answers that does not know `topic`; tell `seen` at every look whether one answered."""
    while True:
        known = await _knows(admin, topic)
        seen(known is not None)
        if known is False:
            return
        await asyncio.sleep(LOOK_EVERY)


async def _knows(admin: AIOKafkaAdminClient, topic: str) -> bool | None:
    """Return whether the broker has the topic; None when no broker answers."""
    try:
        # Not asyncio.wait_for: Python 3.11's swallows a cancellation that comes as the answer does, and who stops us
        # waits for ever.
        async with asyncio.timeout(_PATIENCE):
            return topic in await admin.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return None
