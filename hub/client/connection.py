"""One Socket.IO connection, from its CONNECT until it is closed. A reconnect is a new `Connection`."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import socketio
from socketio.exceptions import BadNamespaceError
from socketio.exceptions import ConnectionError as NotConnected

from hub.client.answers import NoResponse, Problem

_OPEN_TIMEOUT = 8.0
"""Seconds for TCP, WebSocket and CONNECT together; the hub may take five to accept a client."""
_CHECK_INTERVAL = 0.1
_CLOSE_TIMEOUT = 2.0

Handler = Callable[[Any], None]
"""Called with the argument of an event or an ack, in the order of arrival. It must not block or raise."""


class ConnectionLost(Exception):
    """The connection ended before the answer came."""


class Connection:
    """A connection. It is open until `closed` is set."""

    def __init__(
        self, http: aiohttp.ClientSession, on_connect: Callable[[], None], handlers: Mapping[str, Handler]
    ) -> None:
        self.closed = asyncio.Event()
        self._answered = asyncio.Event()
        self._accepted = False
        self._problem: Problem | None = None
        self._waiting: set[asyncio.Future[Any]] = set()
        # The line reconnects. The library would reconnect with the same token and leave the pending calls waiting.
        self._sio = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=http)
        # No coroutines among the handlers: only plain functions are called in the order of arrival.
        self._sio.on("connect", lambda: self._on_connect(on_connect))
        self._sio.on("connect_error", self._on_connect_error)
        self._sio.on("disconnect", lambda _reason: self.mark_closed())
        for event, handler in handlers.items():
            self._sio.on(event, handler)

    async def open(self, url: str, token: str) -> Problem | NoResponse | None:
        """Connect with the access token; return None on success. Call this once."""
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT):
                await self._sio.connect(url, auth={"token": token}, transports=["websocket"], wait=False)
                await self._until_accepted()
        except (NotConnected, aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            return self._problem or NoResponse(f"{type(error).__name__} {error}".strip())
        if self._sio.eio.state != "connected":  # it ended before `connect` returned; the library does not report that
            self.mark_closed()
        return None

    async def call(self, event: str, argument: Mapping[str, Any], handler: Handler | None = None) -> Any:
        """Send an event and return its ack, after passing it to `handler`. Raises `ConnectionLost`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def on_ack(*arguments: Any) -> None:
            ack = arguments[0] if arguments else None
            if handler:
                handler(ack)
            if not answer.done():
                answer.set_result(ack)

        if self.closed.is_set():
            raise ConnectionLost
        self._waiting.add(answer)
        try:
            await self._sio.emit(event, dict(argument), callback=on_ack)
            return await answer
        except BadNamespaceError:
            raise ConnectionLost from None
        finally:
            self._waiting.discard(answer)

    def mark_closed(self) -> None:
        """Treat the connection as closed: every pending call raises `ConnectionLost`."""
        self.closed.set()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(ConnectionLost())

    async def close(self) -> None:
        """Close the connection; wait at most two seconds for the hub."""
        self.mark_closed()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._sio.disconnect()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return

    async def _until_accepted(self) -> None:
        """Raise `NotConnected` unless the hub accepts the client. The library would wait on after a lost connection."""
        while not self._answered.is_set():
            if self._sio.eio.state != "connected":
                raise NotConnected("ended before the hub accepted the client")
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_INTERVAL):
                    await self._answered.wait()
        if not self._accepted:
            raise NotConnected("refused")

    def _on_connect(self, on_connect: Callable[[], None]) -> None:
        self._accepted = True
        self._answered.set()
        on_connect()

    def _on_connect_error(self, error: object = None, *_: object) -> None:
        self._answered.set()
        data = error.get("data") if isinstance(error, dict) else None
        if isinstance(data, dict) and "code" in data:
            self._problem = Problem(str(data["code"]), str(data.get("detail", "")))
