"""A Node socket.io server to compare the fan-out with. It runs on the hub's core."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_SERVER = Path(__file__).with_name("node_server.js")


@asynccontextmanager
async def node_server(beside: int) -> AsyncIterator[tuple[int, int]]:
    """Start the server on the cores of the process `beside`. Yields its port and pid."""
    cores = os.sched_getaffinity(beside)
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_SERVER),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        assert process.stdout
        yield int(await process.stdout.readline()), process.pid
    finally:
        process.kill()
        await process.wait()
