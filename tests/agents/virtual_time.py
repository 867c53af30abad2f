"""An event loop with virtual time: when every task waits, the time jumps to the next timer. Waits take no real time.

@in_virtual_time
async def test_something() -> None:
    await asyncio.sleep(3600)  # takes no time
    assert hub_clock()() == NOW + timedelta(hours=1)
"""

import asyncio
import functools
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import Timekeeper


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Never blocks: when no file is ready, it advances the time to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.wakes: list[float] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            assert timeout is not None, "every task waits, and there is no timer"
            self.now += timeout
            self.wakes.append(self.now)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.virtual_selector = _VirtualTimeSelector()
        super().__init__(self.virtual_selector)

    def time(self) -> float:
        return self.virtual_selector.now


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test on a new loop with virtual time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


@dataclass(frozen=True)
class LoopClock(Timekeeper):
    """Shows `shows` at loop time 0, and runs `rate` times as fast as the loop's time."""

    def __call__(self) -> datetime:
        now = self.shows + timedelta(seconds=asyncio.get_running_loop().time()) * self.rate
        # Rounded to milliseconds: seconds as a float come out slightly too low, and a timer would seem early.
        return (now + timedelta(microseconds=500)).replace(microsecond=(now.microsecond + 500) // 1000 % 1000 * 1000)


def clock_from(shows: datetime, rate: float = 1.0) -> LoopClock:
    return LoopClock(base=shows, shows=shows, rate=rate)


def wakes() -> list[float]:
    """Return the loop times (seconds) at which the loop woke up for a timer."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    return loop.virtual_selector.wakes


@asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run these tasks during the block. A task that fails makes the test fail."""
    tasks = [asyncio.ensure_future(each()) for each in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
