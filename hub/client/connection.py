"""One life of a Socket.IO connection: from its CONNECT until it is gone. What comes back after that is another one."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import socketio
from socketio.exceptions import BadNamespaceError
from socketio.exceptions import ConnectionError as NotConnected

from hub.client.answers import Refusal, Silence

_OPEN_WITHIN = 8.0
"""Seconds for TCP, WebSocket and CONNECT together; letting somebody in may take the hub five."""
_LOOK_EVERY = 0.1
_CLOSE_WITHIN = 2.0

Hears = Callable[[Any], None]
"""Called with the one argument of an event, or of an ack, before anything that came later; must not block or raise."""


class Gone(Exception):
    """The connection ended before the answer came."""


class Connection:
    """A connection that is open until `gone` is set."""

    def __init__(
        self, http: aiohttp.ClientSession, on_connect: Callable[[], None], events: Mapping[str, Hears]
    ) -> None:
        self.gone = asyncio.Event()
        self._answered = asyncio.Event()
        self._let_in = False
        self._refusal: Refusal | None = None
        self._waiting: set[asyncio.Future[Any]] = set()
        # Coming back is ours: the library would do it with the same token, and without telling those who wait.
        self._sio = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=http)
        # No coroutines among these: the library then hands things over in the order in which they came.
        self._sio.on("connect", lambda: self._admitted(on_connect))
        self._sio.on("connect_error", self._refused)
        self._sio.on("disconnect", lambda _reason: self.end())
        for event, hears in events.items():
            self._sio.on(event, hears)

    async def open(self, url: str, token: str) -> Refusal | Silence | None:
        """Connect as the owner of the access token; None when that worked. To be called once."""
        try:
            async with asyncio.timeout(_OPEN_WITHIN):
                await self._sio.connect(url, auth={"token": token}, transports=["websocket"], wait=False)
                await self._until_let_in()
        except (NotConnected, aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            return self._refusal or Silence(f"{type(error).__name__} {error}".strip())
        if self._sio.eio.state != "connected":  # ended before `connect` returned, of which the library says nothing
            self.end()
        return None

    async def call(self, event: str, argument: Mapping[str, Any], hears: Hears | None = None) -> Any:
        """Send an event and return its ack, heard by `hears` first. Raises `Gone` when the connection ends."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(*said: Any) -> None:
            if hears:
                hears(said[0] if said else None)
            if not answer.done():
                answer.set_result(said[0] if said else None)

        if self.gone.is_set():
            raise Gone
        self._waiting.add(answer)
        try:
            await self._sio.emit(event, dict(argument), callback=answered)
            return await answer
        except BadNamespaceError:
            raise Gone from None
        finally:
            self._waiting.discard(answer)

    def end(self) -> None:
        """Take the connection for gone: nobody waits for it any longer."""
        self.gone.set()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(Gone())

    async def close(self) -> None:
        """End it and say goodbye; a peer that does not react does not hold us up."""
        self.end()
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._sio.disconnect()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return

    async def _until_let_in(self) -> None:
        """Raise `NotConnected` unless the hub lets us in; the library would wait on when the connection has ended."""
        while not self._answered.is_set():
            if self._sio.eio.state != "connected":
                raise NotConnected("ended before the hub had let us in")
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._answered.wait()
        if not self._let_in:
            raise NotConnected("refused")

    def _admitted(self, on_connect: Callable[[], None]) -> None:
        self._let_in = True
        self._answered.set()
        on_connect()

    def _refused(self, said: object = None, *_: object) -> None:
        self._answered.set()
        data = said.get("data") if isinstance(said, dict) else None
        if isinstance(data, dict) and "code" in data:
            self._refusal = Refusal(str(data["code"]), str(data.get("detail", "")))
