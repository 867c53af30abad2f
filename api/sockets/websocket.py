"""One websocket below Socket.IO: how packets are written to it, and how many messages may arrive on it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import engineio.packet
from aiohttp import WSMsgType, web

from api.http.rate_limits import Rate, TokenBucket
from api.sockets.limits import Limits

_FROM_CLIENTS = ("1", "3", "4")
"""The engine.io packets that a client sends over a websocket: close, pong, message."""
_WHOLE_TEXT, _ONE_BYTE_SIZE, _TWO_BYTE_SIZE = 0x81, 125, 0xFFFF


class WebSocket:
    """The websocket that engine.io reads and writes, instead of the one in its aiohttp driver.

    The driver's own compresses every message again for every client that offers compression, as browsers do (32 µs and
    93 KB a client). And a message that it cannot read ends its handler early, so that no disconnect is reported.
    """

    def __init__(self, handler: Callable[["WebSocket"], Awaitable[None]], server: Any, limits: Limits) -> None:
        self._handler = handler
        self._websocket = web.WebSocketResponse(
            compress=False,
            max_msg_size=server.max_http_buffer_size,
            timeout=limits.close_handshake,
        )
        rate = Rate(limits.messages_burst, limits.messages_per_second)
        self._messages = TokenBucket(rate, asyncio.get_running_loop().time)

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve the websocket until it ends."""
        await self._websocket.prepare(environ["aiohttp.request"])
        await self._handler(self)
        return self._websocket

    async def send(self, message: "str | SharedPacket") -> None:
        """Write one engine.io packet; suspends while the peer reads nothing."""
        encoded = message.encoded if isinstance(message, SharedPacket) else message.encode()
        await self._websocket.send_frame(encoded, WSMsgType.TEXT)

    async def wait(self) -> str:
        """Return the next engine.io packet. Raises OSError at the end, and for a message that no client sends.

        A client over its message rate is delayed here: TCP then holds back this client and no other.
        """
        message = await self._websocket.receive()
        if wait := self._messages.wait():
            await asyncio.sleep(wait)
        self._messages.take()
        if message.type is not WSMsgType.TEXT or not message.data.startswith(_FROM_CLIENTS):
            raise OSError("the end, or not the protocol")
        text: str = message.data
        return text

    async def close(self) -> None:
        """Do the closing handshake."""
        await self._websocket.close()


class SharedPacket(engineio.packet.Packet):  # type: ignore[misc]  # published without types
    """A message to several clients: its bytes are made once, not once per client."""

    def __init__(self, text: str) -> None:
        super().__init__(engineio.packet.MESSAGE)
        self.encoded = f"{engineio.packet.MESSAGE}{text}".encode()
        self.frame = _frame(self.encoded)

    def encode(self, b64: bool = False) -> "SharedPacket":  # noqa: ARG002, FBT001, FBT002  # as engine.io calls it
        """Return what `WebSocket.send` writes."""
        return self


class Writer:
    """Writes packets to one client: straight to its TCP transport when no packet is waiting, else by the queue.

    To wake a writer task for each of a thousand clients costs more than the writing itself.
    """

    def __init__(self, queue: "asyncio.Queue[Any]", transport: asyncio.Transport | None) -> None:
        """`transport` is None for a client that has already disconnected."""
        self._queue = queue
        self._transport = transport
        self._idle = False

    def send(self, packet: SharedPacket) -> None:
        """Write a packet at once if the queue and TCP's buffer are empty and the writer task is idle; else queue it."""
        to_tcp = self._transport
        nothing_before = self._idle and self._queue.empty()
        if nothing_before and to_tcp and not to_tcp.is_closing() and not to_tcp.get_write_buffer_size():
            to_tcp.write(packet.frame)
        else:
            self._queue.put_nowait(packet)

    async def next_packets(self) -> list[Any]:
        """Return all packets that wait to be written, at least one; none when the queue is closed (None).

        Replaces `AsyncSocket.poll`, which makes a task and a timer at each wake-up. It needs no timeout: the reader of
        the same socket puts None when it ends.
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
                queue.put_nowait(None)  # for the next call: the packets before it are written first
                break
            packets.append(packet)
        return packets


def _frame(text: bytes) -> bytes:
    """Return a whole websocket text message as a server sends it: unmasked and in one frame (RFC 6455, 5.2)."""
    size = len(text)
    if size <= _ONE_BYTE_SIZE:
        return struct.pack("!BB", _WHOLE_TEXT, size) + text
    if size <= _TWO_BYTE_SIZE:
        return struct.pack("!BBH", _WHOLE_TEXT, 126, size) + text
    return struct.pack("!BBQ", _WHOLE_TEXT, 127, size) + text


def limit_buffers(transport: asyncio.BaseTransport, limits: Limits) -> None:
    """Make a peer that does not read visible soon: a small send buffer, and a limit on unacknowledged data."""
    connection: socket.socket = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):  # the peer has already disconnected; the next read reports it
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limits.unacknowledged)
