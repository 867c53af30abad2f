"""One websocket below Socket.IO: how it is written to, and how much may come in on it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import engineio.packet
from aiohttp import WSMsgType, web

from api.sockets.limits import Limits

_FROM_CLIENTS = ("1", "3", "4")
"""The engine.io packets that a client sends over a websocket: close, pong, message."""
_CLOSE_HANDSHAKE = 2.0
"""Seconds that a peer has for its half of the websocket's close."""
_WHOLE_TEXT, _ONE_BYTE_SIZE, _TWO_BYTE_SIZE = 0x81, 125, 0xFFFF


class Line:
    """The websocket that engine.io reads and writes, in place of the one of its aiohttp driver.

    That one compresses every message for every client anew if the client offers it, as browsers do (32 µs and 93 KB a
    client); and a message it cannot read ends its handler half-way, so that nobody hears of the disconnect.
    """

    def __init__(self, handler: Callable[["Line"], Awaitable[None]], server: Any, limits: Limits) -> None:
        self._handler = handler
        self._websocket = web.WebSocketResponse(
            compress=False,
            max_msg_size=server.max_http_buffer_size,
            timeout=_CLOSE_HANDSHAKE,
        )
        self._allowance = Allowance(limits.messages_per_second, limits.messages_burst)

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve the websocket until it ends."""
        await self._websocket.prepare(environ["aiohttp.request"])
        await self._handler(self)
        return self._websocket

    async def send(self, message: "str | Shared") -> None:
        """Write one engine.io packet; suspends while the peer takes nothing."""
        encoded = message.encoded if isinstance(message, Shared) else message.encode()
        await self._websocket.send_frame(encoded, WSMsgType.TEXT)

    async def wait(self) -> str:
        """Return the next engine.io packet. Raises OSError at the end, and when it is none that clients send.

        To wait here until the client may say more makes TCP hold back this client and nobody else.
        """
        message = await self._websocket.receive()
        await self._allowance.take()
        if message.type is not WSMsgType.TEXT or not message.data.startswith(_FROM_CLIENTS):
            raise OSError("the end, or not the protocol")
        text: str = message.data
        return text

    async def close(self) -> None:
        """Say goodbye."""
        await self._websocket.close()


class Shared(engineio.packet.Packet):  # type: ignore[misc]  # published without types
    """A message to many: the bytes are made once, not once a client."""

    def __init__(self, text: str) -> None:
        super().__init__(engineio.packet.MESSAGE)
        self.encoded = f"{engineio.packet.MESSAGE}{text}".encode()
        self.frame = _frame(self.encoded)

    def encode(self, b64: bool = False) -> "Shared":  # noqa: ARG002, FBT001, FBT002  # as engine.io calls it
        """Return what `Line.send` knows how to write."""
        return self


class Outlet:
    """The way of packets to one client: straight to its TCP when nothing is before them, else by the queue.

    To wake a writer for each of a thousand clients costs more than the writing itself.
    """

    def __init__(self, queue: "asyncio.Queue[Any]", transport: asyncio.Transport | None) -> None:
        """`transport` is None for a client that has gone already."""
        self._queue = queue
        self._transport = transport
        self._idle = False

    def put(self, packet: Shared) -> None:
        """Write a packet now if the writer waits, nothing is queued and TCP has taken all before; else queue it."""
        to_tcp = self._transport
        nothing_before = self._idle and self._queue.empty()
        if nothing_before and to_tcp and not to_tcp.is_closing() and not to_tcp.get_write_buffer_size():
            to_tcp.write(packet.frame)
        else:
            self._queue.put_nowait(packet)

    async def next_packets(self) -> list[Any]:
        """Return all that waits to be written, at least one packet; nothing when the queue is closed (None).

        Takes the place of `AsyncSocket.poll`, which makes a task and a timer at each wake-up. It may wait without end,
        for the reader of the same socket puts None when it ends.
        """
        queue = self._queue
        self._idle = True
        first = await queue.get()
        self._idle = False
        queue.task_done()
        if first is None:
            return []
        packets = [first]
        while not queue.empty():
            packet = queue.get_nowait()
            queue.task_done()
            if packet is None:
                queue.put_nowait(None)  # for the next call: what came before is written first
                break
            packets.append(packet)
        return packets


class Allowance:
    """A bucket of `burst` messages that fills at `rate` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._seen = asyncio.get_running_loop().time()

    async def take(self) -> None:
        """Take one, waiting until there is one."""
        now = asyncio.get_running_loop().time()
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate) - 1
        self._seen = now
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate)


def _frame(text: bytes) -> bytes:
    """Return a whole websocket message of text as a server sends it: unmasked and in one frame (RFC 6455, 5.2)."""
    size = len(text)
    if size <= _ONE_BYTE_SIZE:
        return struct.pack("!BB", _WHOLE_TEXT, size) + text
    if size <= _TWO_BYTE_SIZE:
        return struct.pack("!BBH", _WHOLE_TEXT, 126, size) + text
    return struct.pack("!BBQ", _WHOLE_TEXT, 127, size) + text


def keep_short(transport: asyncio.BaseTransport, limits: Limits) -> None:
    """Let a peer that does not read show soon: a small buffer in the kernel, and an end to waiting for its TCP."""
    connection: socket.socket = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):  # the peer has gone already, which the next read will say
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limits.unacknowledged)
