"""Keeps a number of bookings in flight for a while."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

OK = "ok"
_PATIENCE = 30.0
"""Seconds after the end in which the last answers have to come."""

Ask = Callable[[], Awaitable[str]]
"""Books once and returns `OK`, or what the answer was instead."""


@dataclass
class Answers:
    """`seconds` is how long each took, `in_time` how many came before the end."""

    seconds: list[float] = field(default_factory=list)
    in_time: int = 0
    said: Counter[str] = field(default_factory=Counter)


async def keep_in_flight(asks: Sequence[Ask], seconds: float) -> Answers:
    """Let each ask again and again, one booking after the other, until the time is up, and await the last answers."""
    answers = Answers()
    end = time.perf_counter() + seconds

    async def go_on(ask: Ask) -> None:
        now = time.perf_counter()
        while now < end:
            began = now
            answers.said[await ask()] += 1
            now = time.perf_counter()
            answers.seconds.append(now - began)
            answers.in_time += now < end

    async with asyncio.timeout(seconds + _PATIENCE):
        await asyncio.gather(*(go_on(ask) for ask in asks))
    return answers
