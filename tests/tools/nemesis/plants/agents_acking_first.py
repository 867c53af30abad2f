"""An agents process that acks commands before it handles them: a crash loses them."""

import asyncio
from collections.abc import Sequence

from faust.types import EventT

from agents.actor.dispatcher import Dispatcher
from tests.tools.nemesis import agents

_COMMITTED_BY_THEN = 0.6
"""Seconds; offsets are committed five times a second."""


async def _ack_and_handle(self: Dispatcher, batch: Sequence[EventT[bytes]]) -> None:
    for event in batch:
        event.ack()
    await asyncio.sleep(_COMMITTED_BY_THEN)
    await self._handle(batch)


if __name__ == "__main__":
    Dispatcher._persist = _ack_and_handle
    agents.main()
