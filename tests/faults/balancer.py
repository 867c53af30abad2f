"""A load balancer for api processes. It is not sticky, and it can cut connections."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress


class Balancer:
    """Passes each connection to the next api process that accepts it."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        self._host = host
        self._ports = list(ports)
        self._open: set[asyncio.StreamWriter] = set()
        self._turn = 0
        self.url = ""
        self.cuts = 0

    def add(self, port: int) -> None:
        """Add an api process."""
        self._ports.append(port)

    def cut(self, how_many: int, chance: random.Random) -> None:
        """Cut some connections as a network failure does, without closing the protocol on either side."""
        for writer in chance.sample(sorted(self._open, key=id), min(how_many, len(self._open))):
            self.cuts += 1
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy bytes in both directions until one side closes, or the balancer stops."""
        self._open.add(writer)
        with suppress(OSError):
            there = await self._connect()
            try:
                ways = [asyncio.create_task(_carry(reader, there[1])), asyncio.create_task(_carry(there[0], writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            finally:
                there[1].transport.abort()
        self._open.discard(writer)
        writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to an api process. Raises OSError when none accepts."""
        for _ in self._ports:
            self._turn += 1
            with suppress(OSError):
                return await asyncio.open_connection(self._host, self._ports[self._turn % len(self._ports)])
        raise ConnectionRefusedError


@asynccontextmanager
async def balanced(host: str, ports: Sequence[int]) -> AsyncIterator[Balancer]:
    balancer = Balancer(host, ports)
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0, backlog=1024)
    balancer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield balancer
    finally:
        server.close()
        balancer.cut(1_000_000, random.Random(0))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
