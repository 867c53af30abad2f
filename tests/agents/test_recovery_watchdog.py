"""A worker is stuck when its table stays as incomplete as it is; not when it fills slowly, or is complete."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

import pytest

from agents import recovery_watchdog

LONG = 0.3
"""Seconds: a third of them would be too few to be called stuck."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_watchdog, "IN_VAIN", LONG / 3)
    monkeypatch.setattr(recovery_watchdog, "_LOOK_EVERY", LONG / 30)


def told(values: Iterator[int | None]) -> Callable[[], int | None]:
    return lambda: next(values)


@pytest.mark.parametrize("missing", [repeat(7), repeat(0), chain([9, None, 9], repeat(7))])
async def test_who_misses_the_same_for_long_is_stuck(missing: Iterator[int | None]) -> None:
    async with asyncio.timeout(10):
        await recovery_watchdog.until_recovery_stalls(told(missing))


@pytest.mark.parametrize("missing", [repeat(None), count(1000, -1)])
async def test_who_misses_nothing_or_less_and_less_is_not(missing: Iterator[int | None]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(LONG):
            await recovery_watchdog.until_recovery_stalls(told(missing))
