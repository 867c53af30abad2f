"""Answers that are sent line by line while the work is done (application/x-ndjson): one JSON value a line."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog
from pydantic import BaseModel

log = structlog.get_logger(__name__)

NDJSON: Final = "application/x-ndjson"

_running: set[asyncio.Task[None]] = set()
"""The work under way: asyncio itself holds tasks only weakly."""


def body_of(items: AsyncIterator[BaseModel]) -> AsyncIterator[bytes]:
    """Start the work, and return its lines as they come.

    The work goes on when the client leaves: a day that is half moved helps nobody. An error in it ends the lines early.
    """
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    task = asyncio.create_task(_work(items, lines))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return _until_end(lines)


async def _work(items: AsyncIterator[BaseModel], lines: "asyncio.Queue[bytes | None]") -> None:
    try:
        async for item in items:
            lines.put_nowait(item.model_dump_json(by_alias=True).encode() + b"\n")
    except Exception:
        log.exception("lines_ended_early")
    finally:
        lines.put_nowait(None)


async def _until_end(lines: "asyncio.Queue[bytes | None]") -> AsyncIterator[bytes]:
    while (line := await lines.get()) is not None:
        yield line
