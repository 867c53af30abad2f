"""Starts a process again when it dies, and gives up when it keeps dying."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Never

from hub.ops.local.process import Process

_DEATHS, _WITHIN = 3, 60.0
"""More deaths than that within so many seconds are not an accident."""


class GaveUp(Exception):
    """A process that the hub cannot do without is dead; the message says which and shows the end of its log."""


async def kept_alive(process: Process, say: Callable[[str], None], *, heal: bool) -> Never:
    """Watch over a started process and start it again when it dies, telling `say` so.

    Raises `GaveUp` at the first death with `heal` off, else when it died more than three times within a minute;
    `PortTaken` when somebody else took its port meanwhile.
    """
    loop = asyncio.get_running_loop()
    deaths: deque[float] = deque()
    while True:
        await process.died()
        now = loop.time()
        deaths.append(now)
        while deaths[0] < now - _WITHIN:
            deaths.popleft()
        if not heal:
            raise GaveUp(process.obituary())
        if len(deaths) > _DEATHS:
            raise GaveUp(f"It died {len(deaths)} times within a minute: {process.obituary()}")
        what = f"{process.program.name} (pid {process.pid}) {process.how_it_died()}"
        await process.start()
        say(f"{what} and was started again (pid {process.pid}). {process.program.after_death}".rstrip())
