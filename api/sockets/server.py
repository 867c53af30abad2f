"""The Socket.IO server of this process: python-socketio, hardened, and the one way to tell clients something.

It reaches into undocumented parts of python-socketio and python-engineio, which are therefore pinned exactly;
`tests/api/test_sockets_library.py` has a test for each name that is used.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge

from api.sockets.client_manager import IndexedRooms
from api.sockets.limits import Limits
from api.sockets.packets import BadPacket, Packet, event_text
from api.sockets.websocket import Line, Outlet, Shared, keep_short

log = structlog.get_logger(__name__)
CUT = Counter("clinic_sockets_cut_total", "Sockets that were cut off, by reason.", ["reason"])
OPEN = Gauge("clinic_sockets_open", "Sockets that are open.")
QUEUED = Gauge("clinic_sockets_queued", "Packets that wait to be written, of all sockets together.")
QUEUED_MOST = Gauge("clinic_sockets_queued_most", "Packets that wait for the socket that has the most of them.")

PATH = "socket.io"
Heard = Literal["appointment", "calendar", "slot", "token_expiring", "closing"]
"""The events that clients are told."""
NAMESPACE = "/"

_BETWEEN_LEAVERS = 0.02
"""Seconds between two clients that are sent elsewhere: there, each costs some reads of the record."""
_LAST_WORDS = 1.0
"""Seconds that the last of them has to read what waits and to close its side."""


class Server:
    """Connections and their rooms belong to the library; telling, cutting and watching over them is ours."""

    def __init__(self, origins: Collection[str], limits: Limits) -> None:
        """Serve pages of our own origin and of `origins` (scheme://host:port)."""
        self._limits = limits
        self._origins = frozenset(origins)
        self._new_since: dict[str, float] = {}
        self._closing = False
        self.sio = socketio.AsyncServer(
            client_manager=IndexedRooms(),
            async_mode="aiohttp",
            transports=["websocket"],  # so that no balancer needs to be sticky
            serializer=Packet,
            max_http_buffer_size=limits.message_bytes,
            ping_interval=limits.ping_interval,
            ping_timeout=limits.ping_timeout,
            cors_allowed_origins=self._admits,
            logger=_quiet("socketio"),
            engineio_logger=_quiet("engineio"),
        )
        self._eio = self.sio.eio
        self._eio._async = {**self._eio._async, "websocket": partial(Line, limits=limits)}  # noqa: SLF001  # no option
        self._eio.on("connect", self._opened)
        self._eio.on("message", self._received)
        OPEN.set_function(lambda: len(self._eio.sockets))
        QUEUED.set_function(lambda: sum(line.queue.qsize() for line in self._eio.sockets.values()))
        QUEUED_MOST.set_function(lambda: max((line.queue.qsize() for line in self._eio.sockets.values()), default=0))

    def attach(self, app: web.Application) -> None:
        """Serve `/socket.io/` in the application."""
        self.sio.attach(app, PATH)

    def tell(self, sids: Iterable[str], event: Heard, data: object) -> None:
        """Send an event to each client, encoded once, after all that waits for it.

        Never suspends: what is told first, arrives first, acks included. `sio.emit` puts its packets one task later,
        so an event of it would be overtaken by what is told after it: nothing here uses it.
        """
        packet = Shared(event_text(event, data))
        book, sockets = self.sio.manager, self._eio.sockets
        for sid in sids:
            line = sockets.get(book.eio_sid_from_sid(sid, NAMESPACE))
            if line is not None and not line.closed:
                line.outlet.put(packet)

    def waiting(self, sid: str) -> int:
        """Return how many packets wait for a client that is connected; 0 for one that is gone."""
        line = self._eio.sockets.get(self.sio.manager.eio_sid_from_sid(sid, NAMESPACE))
        return line.queue.qsize() if line is not None else 0

    def cut_soon(self, sid: str) -> None:
        """End the TCP connection of a client when it had time to read the last we said.

        The library leaves it open: a client that was told to go could CONNECT on it again, and one that reads nothing
        would hold its queue for as long as it likes.
        """
        environ = self.sio.get_environ(sid)
        transport = environ["aiohttp.request"].transport if environ else None
        if transport is not None:
            asyncio.get_running_loop().call_later(self._limits.leave_within, transport.abort)

    async def hang_up(self, sid: str) -> None:
        """Disconnect a client; it reads what was told before."""
        await self.sio.disconnect(sid)

    async def sweep(self, forget: Callable[[str], None]) -> None:
        """Look after the connections for ever: cut those that do not read, or never said who they are.

        `forget` is called with the sid of a client that was let in when its connection had ended already.
        """
        while True:
            await asyncio.sleep(self._limits.sweep_every)
            now = asyncio.get_running_loop().time()
            for eio_sid, line in list(self._eio.sockets.items()):
                if not line.closed and eio_sid in self.sio.environ:
                    await self._look_at(eio_sid, line, now)
            self._new_since = {eio_sid: at for eio_sid, at in self._new_since.items() if eio_sid in self._eio.sockets}
            for sid in self._stranded():
                forget(sid)
                await self.sio.manager.disconnect(sid, NAMESPACE)

    def leaving_takes(self) -> float:
        """Return how many seconds `close` should have now."""
        return len(self._eio.sockets) * _BETWEEN_LEAVERS + _LAST_WORDS

    async def close(self, within: float) -> None:
        """Close every connection within so many seconds, one after the other, so that not all come back at once."""
        end = asyncio.get_running_loop().time() + within
        self._closing = True
        lines = list(self._eio.sockets.values())
        for line in lines:
            line.queue.put_nowait(None)  # its writer writes what waits, then closes; a client's library reconnects
            await asyncio.sleep(min(_BETWEEN_LEAVERS, within / 2 / len(lines)))
        while self._eio.sockets and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  # nothing to wait for
            await asyncio.sleep(_BETWEEN_LEAVERS)
        for eio_sid in list(self._eio.sockets):
            self._cut(eio_sid, "did_not_leave")
        await self.sio.shutdown()

    async def _opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """Prepare a new connection before anything is written on it."""
        await self.sio._handle_eio_connect(eio_sid, environ)  # noqa: SLF001  # what we took the place of
        line = self._eio.sockets[eio_sid]
        transport = self._transport(eio_sid)
        if transport:
            keep_short(transport, self._limits)
        line.outlet = Outlet(line.queue, transport)
        line.poll = line.outlet.next_packets
        if self._closing:
            # It asked on a connection of before: nobody else would end it, and the process would wait for it.
            line.queue.put_nowait(None)

    async def _received(self, eio_sid: str, message: object) -> None:
        """Hand a message on, or cut who sends what no client sends."""
        if not message:  # the library takes an empty message for an event without a name, and falls over it
            self._cut(eio_sid, "bad_packet", detail="empty")
            return
        try:
            await self.sio._handle_eio_message(eio_sid, message)  # noqa: SLF001  # what we took the place of
        except BadPacket as error:
            self._cut(eio_sid, "bad_packet", detail=str(error))

    async def _look_at(self, eio_sid: str, line: Any, now: float) -> None:
        if self._transport(eio_sid) is None:
            # Its handler fell over, so nobody else will say that it is gone; the writer still waits for packets.
            line.queue.put_nowait(None)
            await line.close(wait=False, abort=True, reason=self.sio.reason.TRANSPORT_ERROR)
        elif line.queue.qsize() > self._limits.queued:
            self._cut(eio_sid, "does_not_read")
        elif self.sio.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None:
            since = self._new_since.setdefault(eio_sid, now)
            if now - since > self._limits.connect_within:
                self._cut(eio_sid, "never_connected")

    def _stranded(self) -> list[str]:
        """Return the clients whose connection ended while they were let in: the library hears of no end after that."""
        book, environs = self.sio.manager, self.sio.environ
        return [
            sid
            for sid, eio_sid in book.get_participants(NAMESPACE, None)
            if eio_sid not in environs and book.is_connected(sid, NAMESPACE)
        ]

    def _cut(self, eio_sid: str, reason: str, **more: str) -> None:
        """Let go of TCP at once: nothing else frees a connection whose peer does not read."""
        transport = self._transport(eio_sid)
        if transport is None:
            return
        CUT.labels(reason).inc()
        log.info("socket_cut", reason=reason, remote=self.sio.environ[eio_sid]["aiohttp.request"].remote, **more)
        transport.abort()

    def _transport(self, eio_sid: str) -> asyncio.Transport | None:
        environ = self.sio.environ.get(eio_sid)
        transport: asyncio.Transport | None = environ["aiohttp.request"].transport if environ else None
        return transport

    def _admits(self, origin: str, environ: dict[str, Any]) -> bool:
        """Whether a page of this origin may connect: ours by its host, for behind TLS we see another scheme."""
        return origin in self._origins or urlsplit(origin).netloc == environ.get("HTTP_HOST")


def _quiet(library: str) -> logging.Logger:
    """Return a logger for errors only: on INFO the library writes out packets, and with them tokens."""
    logger = logging.getLogger(f"clinic.{library}")
    logger.setLevel(logging.ERROR)
    return logger
