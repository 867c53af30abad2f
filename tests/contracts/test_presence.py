"""Who is connected, in both implementations of the record."""

import asyncio
from datetime import timedelta

from hub.records.ports import Records
from tests.contracts.histories import NINE

LATER = NINE + timedelta(days=3650)
"""Far ahead, because the database deletes what has expired."""
SECOND = timedelta(seconds=1)


async def test_who_is_marked_is_connected_until_the_instant_and_a_later_mark_counts(records: Records) -> None:
    assert await records.presence.connected(LATER) == set()
    await asyncio.gather(*(records.presence.mark(["carl", "dora"], LATER + SECOND) for _ in range(5)))
    await records.presence.mark([], LATER + SECOND)
    await records.presence.mark(["carl"], LATER + 2 * SECOND)
    await records.presence.mark(["carl"], LATER)  # of a slow process
    assert await records.presence.connected(LATER) == {"carl", "dora"}
    assert await records.presence.connected(LATER + SECOND) == {"carl"}
    assert await records.presence.connected(LATER + 2 * SECOND) == set()
