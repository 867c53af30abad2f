"""A Socket.IO client with little overhead: it parses no JSON and masks frames with zeros, which copies nothing.

python-socketio's client costs as much for an event as the server does; with 500 of them, the figures would be its own.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, cast

_TEXT, _CLOSE, _PING = 0x1, 0x8, 0x9
_AT_ONCE = 50
"""Connections opened concurrently."""

OnEvent = Callable[[bytes], None]
"""Called with the packet of an event."""


class SocketClient(asyncio.Protocol):
    """One connection over WebSocket, signed in with an access token.

    `on_event` is called at each event of the server; `closed` is done when the connection is gone.
    """

    def __init__(self, host: str, port: int, token: str, on_event: OnEvent) -> None:
        self._host = f"{host}:{port}"
        self._token = token
        self._on_event = on_event
        self._received = b""
        self._upgraded = False
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._ids = count()
        self._acks: dict[bytes, asyncio.Future[bytes]] = {}

    @classmethod
    async def open(cls, host: str, port: int, token: str, on_event: OnEvent) -> "SocketClient":
        """Connect. Raises ConnectionError when the server refuses."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(host, port, token, on_event), host, port)
        await asyncio.wait_for(client._ready, 30)
        return client

    def call(self, event: str, argument: str) -> asyncio.Future[bytes]:
        """Send an event with one ASCII JSON argument. The future is the JSON of the ack or a ConnectionError."""
        number = next(self._ids)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._acks[b"%d" % number] = answer
        self._write(f'42{number}["{event}",{argument}]')
        return answer

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own
        key = base64.b64encode(bytes(16)).decode()
        self._transport.write(
            (
                f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._end(head.decode())
                return
            self._upgraded, self._received = True, rest
        for kind, payload in self._frames():
            if kind == _TEXT:
                self._take(payload)
            elif kind in {_CLOSE, _PING}:  # the hub keeps alive by packets of its own, not by WebSocket's pings
                self._end(f"the api sent a frame of kind {kind}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the api hung up: {exc}")
        self.closed.set_result(None)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Read the complete frames (RFC 6455, section 5.2; frames of a server are not masked)."""
        received, begin = self._received, 0
        while len(received) >= begin + 2:
            size, head = received[begin + 1], 2
            if size > 125:
                head = 4 if size == 126 else 10
                size = int.from_bytes(received[begin + 2 : begin + head], "big")
            end = begin + head + size
            if len(received) < max(end, begin + head):
                break
            yield received[begin] & 0x0F, received[begin + head : end]
            begin = end
        self._received = received[begin:]

    def _take(self, packet: bytes) -> None:
        match packet[:2]:
            case b"42":
                self._on_event(packet)
            case b"43":
                number, _, rest = packet[2:].partition(b"[")
                self._acks.pop(number).set_result(rest[:-1])
            case b"2":
                self._write("3")
            case b"40":
                self._ready.set_result(None)
            case b"44":
                self._end(packet.decode())
            case _:
                if packet.startswith(b"0"):
                    self._write(f"40{json.dumps({'token': self._token})}")

    def _write(self, packet: str) -> None:
        data = packet.encode()
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
        # Clients must mask; under a mask of zeros the data stays as it is.
        self._transport.write(bytes([0x80 | _TEXT]) + size + bytes(4) + data)

    def _end(self, why: str) -> None:
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._acks.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(ConnectionError(why))


async def open_all(
    host: str, port: int, tokens: Sequence[str], on_event: OnEvent, stack: AsyncExitStack
) -> list[SocketClient]:
    """Open a connection for each token, some concurrently. The exit stack closes them."""
    sockets: list[SocketClient] = []
    for begin in range(0, len(tokens), _AT_ONCE):
        some = tokens[begin : begin + _AT_ONCE]
        opened = await asyncio.gather(*(SocketClient.open(host, port, token, on_event) for token in some))
        for socket in opened:
            stack.callback(socket.close)
        sockets += opened
    return sockets
