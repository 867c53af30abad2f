"""Detects that the broker restarted without its data, that is, in a new incarnation.

After such a restart a Kafka client reconnects and continues silently, although its offsets now stand for other messages
and the topics it waits for are gone. So each process creates one topic of its own. If a broker answers and does not
have that topic, it has lost its data, and every client of it has to be created again.
"""

import asyncio
from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_CHECK_INTERVAL = 1.0
"""Seconds between two checks."""
_CHECK_TIMEOUT = 2.0
"""Seconds to wait for one answer of the broker."""


async def until_data_lost(admin: AIOKafkaAdminClient, topic: str, on_check: Callable[[bool], None]) -> None:
    """Return when a broker answers that does not have `topic`. `on_check` is told whether one answered."""
    while True:
        exists = await _exists(admin, topic)
        on_check(exists is not None)
        if exists is False:
            return
        await asyncio.sleep(_CHECK_INTERVAL)


async def _exists(admin: AIOKafkaAdminClient, topic: str) -> bool | None:
    """Return whether the broker has the topic, or None if no broker answers."""
    try:
        # Not asyncio.wait_for: in Python 3.11 it swallows a cancellation that arrives together with the answer. The
        # task would then never stop.
        async with asyncio.timeout(_CHECK_TIMEOUT):
            return topic in await admin.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return None
