"""The Socket.IO server of this process: python-socketio with hardened connections, and the one way to send events.

It uses undocumented parts of python-socketio and python-engineio, which are therefore pinned exactly;
`tests/api/sockets/test_library.py` has a test for each name that is used.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge

from api.sockets.client_manager import IndexedClientManager
from api.sockets.limits import Limits
from api.sockets.outbound import EventName
from api.sockets.packets import BadPacket, Packet, event_text
from api.sockets.session import Connection, Disconnected, Session
from api.sockets.websocket import SharedPacket, WebSocket, Writer, limit_buffers

log = structlog.get_logger(__name__)
CUT = Counter("clinic_sockets_cut_total", "Sockets that the server cut off, by reason.", ["reason"])
OPEN = Gauge("clinic_sockets_open", "Sockets that are open.")
QUEUED = Gauge("clinic_sockets_queued", "Packets that wait to be written, of all sockets together.")
QUEUED_MOST = Gauge("clinic_sockets_queued_most", "Packets that wait for the socket that has the most of them.")

PATH = "socket.io"
NAMESPACE = "/"


class Server:
    """The library owns the connections; this class sends events to them, checks them and cuts them."""

    def __init__(self, origins: Collection[str], limits: Limits) -> None:
        """Serve pages of the server's own origin and of `origins` (scheme://host:port)."""
        self._limits = limits
        self._origins = frozenset(origins)
        self._closing = False
        self.sio = socketio.AsyncServer(
            client_manager=IndexedClientManager(),
            async_mode="aiohttp",
            transports=["websocket"],  # so that no load balancer needs sticky sessions
            serializer=Packet,
            max_http_buffer_size=limits.message_bytes,
            ping_interval=limits.ping_interval,
            ping_timeout=limits.ping_timeout,
            cors_allowed_origins=self._is_allowed,
            logger=_error_logger("socketio"),
            engineio_logger=_error_logger("engineio"),
        )
        self._eio = self.sio.eio
        self._eio._async = {**self._eio._async, "websocket": partial(WebSocket, limits=limits)}  # noqa: SLF001  # no option
        self._eio.on("connect", self._on_open)
        self._eio.on("message", self._on_message)
        OPEN.set_function(lambda: len(self._eio.sockets))
        QUEUED.set_function(lambda: sum(self._backlogs()))
        QUEUED_MOST.set_function(lambda: max(self._backlogs(), default=0))

    def attach(self, app: web.Application) -> None:
        """Serve `/socket.io/` in the application."""
        self.sio.attach(app, PATH)

    def connection(self, sid: str) -> Connection:
        """Return the engine.io socket of a client. Raises `Disconnected`."""
        connection: Connection | None = self._eio.sockets.get(self.sio.manager.eio_sid_from_sid(sid, NAMESPACE))
        if connection is None:
            raise Disconnected
        return connection

    def emit(self, sessions: Iterable[Session], event: EventName, data: object) -> None:
        """Send an event to each session, encoded once, after all packets that wait for it.

        Never suspends: events and acks arrive in the order of the calls. `sio.emit` queues its packets one task later,
        so its event would be overtaken by one that is sent here after it: never use it.
        """
        packet = SharedPacket(event_text(event, data))
        for session in sessions:
            connection = session.connection
            if not connection.closed:
                connection.writer.send(packet)

    def abort_later(self, sid: str) -> None:
        """Abort a client's TCP connection once it had time to read the last packet.

        The library leaves the connection open: a refused or disconnected client could send CONNECT on it again, and a
        client that reads nothing would keep its queue in memory without end.
        """
        environ = self.sio.get_environ(sid)
        transport = environ["aiohttp.request"].transport if environ else None
        if transport is not None:
            asyncio.get_running_loop().call_later(self._limits.leave_within, transport.abort)

    async def disconnect(self, session: Session) -> None:
        """Disconnect a client; it still reads what was sent before."""
        await self.sio.disconnect(session.sid)

    async def sweep(self, end: Callable[[str], None]) -> None:
        """Check the connections for ever: cut those that do not read, and those that never connected a session.

        `end` is called with the sid of a client whose connection ended during its admission.
        """
        while True:
            await asyncio.sleep(self._limits.sweep_every)
            now = asyncio.get_running_loop().time()
            for eio_sid, connection in list(self._eio.sockets.items()):
                if not connection.closed and eio_sid in self.sio.environ:
                    await self._check(eio_sid, connection, now)
            for sid in self._stranded():
                end(sid)
                await self.sio.manager.disconnect(sid, NAMESPACE)

    def close_takes(self) -> float:
        """Return how many seconds `close` needs for the connections there are now."""
        return len(self._eio.sockets) * self._limits.drain_interval + self._limits.drain_grace

    async def close(self, within: float) -> None:
        """Close every connection within `within` seconds, one after the other: not all may reconnect at once."""
        end = asyncio.get_running_loop().time() + within
        self._closing = True
        connections = list(self._eio.sockets.values())
        pause = self._limits.drain_interval
        for connection in connections:
            connection.queue.put_nowait(None)  # its writer writes the queue, then closes; the client reconnects
            await asyncio.sleep(min(pause, within / 2 / len(connections)))
        while self._eio.sockets and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  # no event to wait for
            await asyncio.sleep(pause)
        for eio_sid in list(self._eio.sockets):
            self._cut(eio_sid, "did_not_leave")
        await self.sio.shutdown()

    async def _on_open(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """Prepare a new connection before anything is written on it."""
        await self.sio._handle_eio_connect(eio_sid, environ)  # noqa: SLF001  # the handler that this one replaces
        connection = self._eio.sockets[eio_sid]
        transport = self._transport(eio_sid)
        if transport:
            limit_buffers(transport, self._limits)
        connection.writer = Writer(connection.queue, transport)
        connection.poll = connection.writer.next_packets
        connection.without_session_since = None
        if self._closing:
            # The handshake began before the listener closed. Nothing else would end this connection, and the process
            # would wait for it.
            connection.queue.put_nowait(None)

    async def _on_message(self, eio_sid: str, message: object) -> None:
        """Pass a message to the library; cut a connection that sends what no client library sends."""
        if not message:  # the library takes an empty message for an event without a name, and raises
            self._cut(eio_sid, "bad_packet", detail="empty")
            return
        try:
            await self.sio._handle_eio_message(eio_sid, message)  # noqa: SLF001  # the handler that this one replaces
        except BadPacket as error:
            self._cut(eio_sid, "bad_packet", detail=str(error))

    async def _check(self, eio_sid: str, connection: Any, now: float) -> None:
        if self._transport(eio_sid) is None:
            # Its handler raised, so the library reports no end of it, and its writer still waits for packets.
            connection.queue.put_nowait(None)
            await connection.close(wait=False, abort=True, reason=self.sio.reason.TRANSPORT_ERROR)
        elif connection.queue.qsize() > self._limits.queued:
            self._cut(eio_sid, "does_not_read")
        elif self.sio.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is not None:
            connection.without_session_since = None
        elif connection.without_session_since is None:
            connection.without_session_since = now
        elif now - connection.without_session_since > self._limits.connect_within:
            self._cut(eio_sid, "never_connected")

    def _backlogs(self) -> list[int]:
        return [connection.queue.qsize() for connection in self._eio.sockets.values()]

    def _stranded(self) -> list[str]:
        """Return the clients whose connection ended during their admission: the library reports no end of them."""
        manager, environs = self.sio.manager, self.sio.environ
        return [
            sid
            for sid, eio_sid in manager.get_participants(NAMESPACE, None)
            if eio_sid not in environs and manager.is_connected(sid, NAMESPACE)
        ]

    def _cut(self, eio_sid: str, reason: str, **more: str) -> None:
        """Abort the TCP connection at once: nothing else frees a connection whose peer does not read."""
        transport = self._transport(eio_sid)
        if transport is None:
            return
        CUT.labels(reason).inc()
        log.info("socket_cut", cause=reason, remote=self.sio.environ[eio_sid]["aiohttp.request"].remote, **more)
        transport.abort()

    def _transport(self, eio_sid: str) -> asyncio.Transport | None:
        environ = self.sio.environ.get(eio_sid)
        transport: asyncio.Transport | None = environ["aiohttp.request"].transport if environ else None
        return transport

    def _is_allowed(self, origin: str, environ: dict[str, Any]) -> bool:
        """Return whether a page of this origin may connect. For our own, only the host counts: TLS ends at a proxy."""
        return origin in self._origins or _host(origin) == environ.get("HTTP_HOST")


def _error_logger(library: str) -> logging.Logger:
    """Return a logger for errors only: at INFO the library logs packets, and with them tokens."""
    logger = logging.getLogger(f"clinic.{library}")
    logger.setLevel(logging.ERROR)
    return logger


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as "http://["
        return None
