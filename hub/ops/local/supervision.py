"""Restarts a process when it dies, and gives up when it keeps dying."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Never

from hub.ops.local.process import Process

_MAX_DEATHS = 3
WINDOW = 60.0
"""A process that dies more than `_MAX_DEATHS` times within this many seconds is not restarted."""


class GaveUp(Exception):
    """A required process has died and is not restarted; the message names it and shows the end of its log."""


async def supervise(process: Process, say: Callable[[str], None], *, restart: bool, window: float = WINDOW) -> Never:
    """Restart a started process whenever it dies, and report each restart to `say`.

    Raises `GaveUp` when the process died more than three times within `window` seconds, or at its first death with
    `restart` off. Raises `PortTaken` when another process took its port in the meantime.
    """
    loop = asyncio.get_running_loop()
    deaths: deque[float] = deque()
    while True:
        await process.died()
        now = loop.time()
        deaths.append(now)
        while deaths[0] < now - window:
            deaths.popleft()
        if not restart:
            raise GaveUp(process.death_report())
        if len(deaths) > _MAX_DEATHS:
            raise GaveUp(f"It died {len(deaths)} times within a minute: {process.death_report()}")
        death = f"{process.program.name} (pid {process.pid}) {process.how_it_died()}"
        await process.start()
        say(f"{death} and was started again (pid {process.pid}). {process.program.restart_note}".rstrip())
