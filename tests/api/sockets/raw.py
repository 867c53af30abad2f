"""Servers on a free port, and a raw WebSocket client: it can send what no client library sends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from api.sockets.limits import Limits
from api.sockets.server import Server
from api.sockets.session import Session
from hub.accounts.identity import Identity
from hub.scheduling.values import Role

TIMEOUT = 10.0
"""Seconds after which a test gives up waiting."""
ANYBODY = Identity("anybody", Role.PATIENT, "session", datetime.max.replace(tzinfo=UTC))
LIMITS = replace(Limits(), ping_interval=1, ping_timeout=1, sweep_every=0.02, leave_within=0.1)


class Served:
    """A server that admits every client, acks every event, and records connects, disconnects and events."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.server = Server(["https://clinic.test"], limits)
        self.sessions: list[Session] = []
        self.left: list[tuple[str, str]] = []
        self.ended: list[str] = []
        self.received: list[tuple[str, tuple[object, ...]]] = []
        self.address = ""
        self.server.sio.on("connect", self._connect)
        self.server.sio.on("disconnect", self._disconnect)
        self.server.sio.on("*", self._event)

    @property
    def connections(self) -> dict[str, Any]:
        sockets: dict[str, Any] = self.server.sio.eio.sockets
        return sockets

    @property
    def sids(self) -> list[str]:
        return [session.sid for session in self.sessions]

    async def _connect(self, sid: str, _environ: object, _auth: object = None) -> None:
        self.sessions.append(Session(sid, ANYBODY, None, None, self.server.connection(sid)))

    async def _disconnect(self, sid: str, reason: str) -> None:
        self.left.append((sid, reason))
        self.server.abort_later(sid)

    async def _event(self, event: str, sid: str, *args: object) -> object:
        self.received.append((event, args))
        self.server.emit([session for session in self.sessions if session.sid == sid], "before", event)
        return {"ok": True, "event": event}


@asynccontextmanager
async def listening(server: Server, close: Callable[[float], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve on a free port; yield the address, http://host:port. At the end close the listener, then call `close`."""
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await site.stop()
        await close(1.0)
        await runner.cleanup()


@asynccontextmanager
async def serving(limits: Limits = LIMITS) -> AsyncIterator[Served]:
    """Serve `Served` on a free port, while it sweeps."""
    served = Served(limits)
    sweeping = asyncio.create_task(served.server.sweep(served.ended.append))
    async with listening(served.server, served.server.close) as served.address:
        yield served
        sweeping.cancel()
        await asyncio.wait([sweeping])
        assert sweeping.cancelled()


class Raw:
    """One WebSocket. Texts are engine.io packets: `40` CONNECT, `42` event, `43` ack."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket

    async def send(self, text: str) -> None:
        await self.websocket.send_str(text)

    async def receive(self, start: str = "") -> str:
        """Return the next text with this start, and answer pings meanwhile. Raises ConnectionError at the end."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                message = await self.websocket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"the end: {message.type!r} {message.data!r}")
                if message.data == "2":
                    await self.send("3")
                elif message.data.startswith(start):
                    return str(message.data)

    async def connect(self, auth: object = None) -> str:
        """Send CONNECT and return the answer: `40{…}` or `44{…}`."""
        await self.send("40" + ("" if auth is None else json.dumps(auth)))
        return await self.receive("4")

    async def ask(self, *event: object, number: int = 1) -> Any:
        """Send an event and return its ack."""
        await self.send(f"42{number}{json.dumps(event)}")
        [answer] = json.loads((await self.receive(f"43{number}["))[2 + len(str(number)) :])
        return answer

    async def end(self) -> None:
        """Return when the server has ended the connection."""
        try:
            while True:
                await self.receive()
        except ConnectionError:
            return


@asynccontextmanager
async def raw(address: str, **options: Any) -> AsyncIterator[Raw]:
    """Open a WebSocket, up to the server's OPEN packet."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}/socket.io/?EIO=4&transport=websocket", **options) as websocket,
    ):
        client = Raw(websocket)
        await client.receive("0")
        yield client


async def until(condition: Callable[[], object]) -> None:
    """Return when the condition holds. Raises TimeoutError if it does not hold within `TIMEOUT`."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0.005)
