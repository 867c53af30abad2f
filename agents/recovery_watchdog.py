"""Detects that the recovery of a worker's table has stalled. The process then restarts.

Faust takes no command before it has read as many changelog entries as the broker reported. After a broker came back
without its data, two workers waited for more than a minute for entries that no longer existed. A restart loses nothing:
MongoDB has everything that the table had.
"""

import asyncio
from collections.abc import Callable

STALL_TIMEOUT = 15.0
"""Seconds without a new entry. A broker outage of this length also restarts the worker, which does no harm."""
POLL_INTERVAL = 1.0
"""Seconds between two reads of the number of missing entries."""


async def until_recovery_stalls(
    entries_to_recover: Callable[[], int | None],
    stall_timeout: float = STALL_TIMEOUT,
    poll_interval: float = POLL_INTERVAL,
) -> None:
    """Return when the number of missing entries has not changed for `stall_timeout` seconds.

    `entries_to_recover` returns None if the table is complete.
    """
    now = asyncio.get_running_loop().time
    missing, since = entries_to_recover(), now()
    while missing is None or now() - since < stall_timeout:
        await asyncio.sleep(poll_interval)
        if (current := entries_to_recover()) != missing:
            missing, since = current, now()
