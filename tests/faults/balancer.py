"""What stands in front of several api processes in production: new connections go to one that is there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count

from hub.embedded.process import Process


@asynccontextmanager
async def balanced(apis: Callable[[], Sequence[Process]]) -> AsyncIterator[str]:
    """Give one address in front of the apis; a connection lives as long as the api that it went to."""
    turn = count()
    open_lines: set[asyncio.Task[None]] = set()

    async def serve(client_reads: asyncio.StreamReader, client_writes: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_lines.add(task)
        task.add_done_callback(open_lines.discard)
        with suppress(OSError):
            alive = [api for api in apis() if api.alive]
            api = alive[next(turn) % len(alive)]
            hub_reads, hub_writes = await asyncio.open_connection("127.0.0.1", api.port)
            await _both_ways((client_reads, hub_writes), (hub_reads, client_writes))
        client_writes.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in open_lines:
            task.cancel()
        await asyncio.gather(*open_lines, return_exceptions=True)


async def _both_ways(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Copy until one side ends."""
    copying = [asyncio.create_task(_copy(*way)) for way in ways]
    try:
        await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)
        for _, writer in ways:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
