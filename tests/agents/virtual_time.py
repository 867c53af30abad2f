"""Time that passes only when everybody waits, and then at once: hours of waiting are tested to the millisecond.

@hurried
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


class _Hurry(selectors.DefaultSelector):
    """Waits for nothing: when nothing is ready it puts the time forward to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.wakes: list[float] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            assert timeout is not None, "everybody waits for something that never comes"
            self.now += timeout
            self.wakes.append(self.now)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.hurry = _Hurry()
        super().__init__(self.hurry)

    def time(self) -> float:
        return self.hurry.now


def hurried(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test run on a loop of its own in which waiting takes no time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


@dataclass(frozen=True)
class LoopClock(Timekeeper):
    """Shows `shows` when the loop's time is 0, and runs `rate` times as fast as that from there."""

    def __call__(self) -> datetime:
        now = self.shows + timedelta(seconds=asyncio.get_running_loop().time()) * self.rate
        # To the millisecond nearby: seconds as a float come out a little below it, and a timer would seem early.
        return (now + timedelta(microseconds=500)).replace(microsecond=(now.microsecond + 500) // 1000 % 1000 * 1000)


def clock_from(shows: datetime, rate: float = 1.0) -> LoopClock:
    return LoopClock(base=shows, shows=shows, rate=rate)


def wakes() -> list[float]:
    """Return when the loop woke up after it had waited for the time to pass, in its seconds."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    return loop.hurry.wakes


@asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Let this run beside the block; its failure fails the test."""
    tasks = [asyncio.ensure_future(each()) for each in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
