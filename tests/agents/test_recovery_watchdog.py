"""Recovery stalls when the number of missing entries stays the same; not when it falls, or when none are missing."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

import pytest

from agents.recovery_watchdog import until_recovery_stalls

DURATION = 0.3
"""Seconds for which a recovery without a stall is observed: three times the stall timeout."""


async def until_stalled(missing: Iterator[int | None]) -> None:
    await until_recovery_stalls(_reported(missing), stall_timeout=DURATION / 3, poll_interval=DURATION / 30)


def _reported(values: Iterator[int | None]) -> Callable[[], int | None]:
    return lambda: next(values)


@pytest.mark.parametrize("missing", [repeat(7), repeat(0), chain([9, None, 9], repeat(7))])
async def test_a_worker_that_misses_the_same_number_for_long_has_stalled(missing: Iterator[int | None]) -> None:
    async with asyncio.timeout(10):
        await until_stalled(missing)


@pytest.mark.parametrize("missing", [repeat(None), count(1000, -1)])
async def test_a_worker_that_misses_nothing_or_ever_less_has_not_stalled(missing: Iterator[int | None]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(DURATION):
            await until_stalled(missing)
