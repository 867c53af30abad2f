"""Work that goes on after the answer, so that the time of the answer does not show what the record holds."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from hub.records.errors import BrokenRecord, StoreUnavailable

log = structlog.get_logger()

_under_way: set[asyncio.Task[None]] = set()
"""The loop keeps no reference to its tasks."""
_MOST_UNDER_WAY = 200


def after_answer(work: Coroutine[Any, Any, None]) -> None:
    """Start the work, unless too much is under way already: then it is not done. It does not begin before an `await`.

    If the database does not answer, the work is not done either, and a line of the log says so.
    """
    if len(_under_way) >= _MOST_UNDER_WAY:
        work.close()
        log.warning("text_not_sent", cause="too many are under way")
        return
    task = asyncio.create_task(_logged(work))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (StoreUnavailable, BrokenRecord) as error:
        log.warning("text_not_sent", cause=str(error))
