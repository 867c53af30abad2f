"""One client of five hundred stops reading: it is cut, memory stays flat, and the others notice nothing."""

import asyncio
import socket
import statistics
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from tests.api.sockets.raw import LIMITS, Served, listening, until
from tests.tools.bench.sockets import SocketClient

OTHERS = 499
QUEUED = 50
"""Packets that may wait for one client before it is cut."""
NEWS = "x" * 2048
FLAT = 16 * 1024 * 1024
"""Bytes: an unbounded queue would soon hold more."""


async def test_a_client_that_stops_reading_harms_only_itself() -> None:
    served = Served(replace(LIMITS, ping_interval=25, ping_timeout=20, queued=QUEUED, sweep_every=0.25))
    async with listening(served.server, served.server.close) as address:
        host, port = str(urlsplit(address).hostname), int(urlsplit(address).port or 0)
        received = count(1)
        last = 0

        def receive(_: bytes) -> None:
            nonlocal last
            last = next(received)

        others = [await SocketClient.open(host, port, "anybody", receive) for _ in range(OTHERS)]
        turns = 0

        async def send_to_all() -> float:
            """Send an event to all; return the seconds of CPU until all but the slow client have received it.

            CPU, because other processes on the machine make the time on the clock longer, and not evenly.
            """
            nonlocal turns
            turns += 1
            began = time.process_time()
            served.server.emit(served.sessions, "news", NEWS)
            while last < turns * OTHERS:  # noqa: ASYNC110 -- not a condition with an event: it is being timed
                await asyncio.sleep(0)
            return time.process_time() - began

        before = [await send_to_all() for _ in range(40)]
        await one_that_does_not_read(host, port)
        resident = _resident()
        after: list[float] = []
        while not served.left and len(after) < 2000:
            after.append(await send_to_all())
        grown = _resident() - resident
        await until(lambda: len(served.connections) == OTHERS)

        assert [sid for sid, _ in served.left] == [served.sids[-1]]
        assert last == turns * OTHERS, "somebody else lost an event"
        assert grown < FLAT
        assert len(after) >= QUEUED, "the others waited for the client that does not read"
        assert statistics.median(after) < 2 * statistics.median(before)
        for client in others:
            client.close()


async def one_that_does_not_read(host: str, port: int) -> None:
    """Connect with a small buffer, and stop reading after the admission."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)  # noqa: FBT003 -- as the library has it
    loop = asyncio.get_running_loop()
    await loop.sock_connect(line, (host, port))
    _, client = await loop.create_connection(lambda: SocketClient(host, port, "anybody", lambda _: None), sock=line)
    await client._ready
    client._transport.pause_reading()


def _resident() -> int:
    """Return the bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
