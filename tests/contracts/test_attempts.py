"""Counters of attempts in the record."""

import asyncio
from datetime import timedelta

from hub.records.ports import Records
from tests.contracts.histories import NINE

LATER = NINE + timedelta(days=3650)


async def test_each_of_many_concurrent_counts_gets_a_different_number(records: Records) -> None:
    numbers = await asyncio.gather(*(records.attempts.count("door:1", LATER) for _ in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert await records.attempts.count("door:2", LATER) == 1
    assert await records.attempts.counts(["door:1", "door:2", "door:3"]) == {"door:1": 20, "door:2": 1}
