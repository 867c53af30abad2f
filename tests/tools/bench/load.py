"""Keeps a number of requests in flight for a while."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

OK = "ok"
_LAST_ANSWER_WITHIN = 30.0
"""Seconds after the end within which the last answers have to come."""

Operation = Callable[[], Awaitable[str]]
"""Sends one request and returns `OK`, or the answer if it was another."""


@dataclass
class Answers:
    """`seconds` has the duration of each operation; `in_time` counts those that finished before the end."""

    seconds: list[float] = field(default_factory=list)
    in_time: int = 0
    said: Counter[str] = field(default_factory=Counter)


async def keep_in_flight(operations: Sequence[Operation], seconds: float) -> Answers:
    """Repeat each operation for this many seconds, all of them concurrently, and await the last answers."""
    answers = Answers()
    end = time.perf_counter() + seconds

    async def repeat(operation: Operation) -> None:
        now = time.perf_counter()
        while now < end:
            began = now
            answers.said[await operation()] += 1
            now = time.perf_counter()
            answers.seconds.append(now - began)
            answers.in_time += now < end

    async with asyncio.timeout(seconds + _LAST_ANSWER_WITHIN):
        await asyncio.gather(*(repeat(operation) for operation in operations))
    return answers
