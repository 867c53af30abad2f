"""How a worker notices that it waits in vain for the entries of its table: then it begins anew.

Faust takes no command before it has read as many entries as the broker once said there are. After a broker came back
empty, two workers waited for more than a minute for what was no more. MongoDB has all that the table had.
"""

import asyncio
from collections.abc import Callable

IN_VAIN = 15.0
"""Seconds without one more entry. A broker that is away for as long makes it begin anew, too, which does no harm."""
_LOOK_EVERY = 1.0


async def until_recovery_stalls(entries_to_recover: Callable[[], int | None]) -> None:
    """Return when as many entries have been missing for `IN_VAIN` seconds; None stands for a table that is complete."""
    now = asyncio.get_running_loop().time
    missing, since = entries_to_recover(), now()
    while missing is None or now() - since < IN_VAIN:
        await asyncio.sleep(_LOOK_EVERY)
        if (still := entries_to_recover()) != missing:
            missing, since = still, now()
