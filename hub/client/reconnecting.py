"""Keeps a connection to the hub open: connects again when it is lost, catches up, and renews the access token."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.client.answers import UNDECIDED, NoResponse, Problem
from hub.client.callbacks import Callbacks
from hub.client.commands import FIRST_PAUSE, Timeouts
from hub.client.connection import Connection, ConnectionLost, Handler
from hub.client.positions import Positions
from hub.client.rest import HttpClient, Tokens
from hub.client.updates import Updates
from hub.client.wire import is_ok, problem_of


class CannotConnect(Exception):
    """The hub refuses this user's connection, or does not respond; the message says which."""


class ReconnectingConnection:
    """Connected between `open` and `close`, as far as the hub is available, until the hub refuses or a callback fails.

    `watched`: the days to watch, again after each reconnect.
    `board`: the argument of `board`, sent again after each reconnect; None without a board.
    """

    def __init__(
        self, http: HttpClient, tokens: Tokens, positions: Positions, callbacks: Callbacks, timeouts: Timeouts
    ) -> None:
        self.watched: dict[tuple[str, date], None] = {}
        self.board: dict[str, Any] | None = None
        self._http = http
        self._tokens = tokens
        self._timeouts = timeouts
        self._positions = positions
        self._updates = Updates(callbacks, positions, self._on_failure)
        self._connection: Connection | None = None
        # The next two are also set when the task has ended, so that no caller waits for ever.
        self._connected = asyncio.Event()
        self._synced = asyncio.Event()
        self._token_expiring = asyncio.Event()
        self._token_in_use = tokens.access
        self._closing_problem: Problem | None = None
        self._task: asyncio.Task[None] | None = None
        self._last_problem = "no answer"
        self._failure: Exception | None = None

    @property
    def position(self) -> Mapping[str, int]:
        """The last `seq` of each doctor that was passed to the callbacks."""
        return self._updates.position

    @property
    def ended(self) -> bool:
        """Whether it has ended for good; `close` raises the reason."""
        return self._task is not None and self._task.done()

    async def open(self) -> None:
        """Connect and synchronise. Raises `CannotConnect`, or what a callback raised."""
        self._task = asyncio.create_task(self._stay_connected())
        self._task.add_done_callback(lambda _: self._wake_callers())
        try:
            async with asyncio.timeout(self._timeouts.total):
                await self._synced.wait()
        except TimeoutError:
            await self.close()
            raise CannotConnect(f"no line to {self._http.base_url}: {self._last_problem}") from None
        if self._task.done():
            await self.close()

    async def close(self) -> None:
        """Disconnect for good. Raises the exception that had ended the connection before, if any."""
        if self._task is None:
            return
        self._task.cancel()
        try:
            await self._task
        except asyncio.CancelledError:
            if self._task.cancelled():
                return
            raise

    async def current(self) -> Connection:
        """Return the connection as soon as there is one. Raises `CannotConnect` when it has ended for good."""
        while self._connection is None:
            if self._task is None or self._task.done():
                raise CannotConnect(f"the line is closed: {self._last_problem}")
            await self._connected.wait()
        return self._connection

    def watch_call(self, doctor_id: str, day: date) -> tuple[dict[str, Any], Handler]:
        """Return the argument of `watch`, and the handler of its ack."""
        argument = {"doctorId": doctor_id, "date": day.isoformat(), **self._positions.since(doctor_id)}
        return argument, self._updates.watch_handler(doctor_id, day)

    def board_call(self) -> tuple[dict[str, Any], Handler]:
        """Return the argument of `board`, and the handler of its ack."""
        return {**(self.board or {}), **self._positions.since_all()}, self._updates.board_handler()

    async def _stay_connected(self) -> None:
        """Connect, and reconnect after each lost connection, until the hub refuses or a callback fails."""
        pause = FIRST_PAUSE
        while True:
            self._updates.begin_connection()
            connection = Connection(self._http.session, self._updates.connected, self._handlers())
            try:
                failed = await self._connect(connection)
                if failed is None:
                    pause = FIRST_PAUSE
                    failed = await self._serve(connection)
            finally:
                await connection.close()
            if self._failure:
                raise self._failure
            if isinstance(failed, Problem) and failed.code == "token_expired":
                failed = await self._tokens.renew(self._token_in_use, self._timeouts.attempt)
            if isinstance(failed, Problem) and failed.code not in UNDECIDED:
                self._last_problem = f"{failed.code} {failed.detail}".strip()
                raise CannotConnect(f"{self._http.base_url} refused the line: {self._last_problem}")
            await asyncio.sleep(pause)
            pause = min(self._timeouts.longest_pause, 2 * pause)

    async def _connect(self, connection: Connection) -> Problem | NoResponse | None:
        """Connect; return None on success."""
        self._token_in_use = self._tokens.access
        failed = await connection.open(self._http.base_url, self._token_in_use)
        if isinstance(failed, NoResponse):
            self._last_problem = failed.cause
        return failed

    async def _serve(self, connection: Connection) -> Problem | None:
        """Use the connection until it is closed; return the problem that the hub gave as the reason, if any."""
        self._closing_problem = None
        self._token_expiring.clear()
        self._connection = connection
        self._connected.set()
        tasks = [
            asyncio.create_task(self._catch_up(connection, list(self.watched), self.board)),
            asyncio.create_task(self._renew_tokens(connection)),
        ]
        try:
            await connection.closed.wait()
        finally:
            self._connection = None
            self._connected.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._updates.disconnected()
        return self._closing_problem

    async def _catch_up(
        self, connection: Connection, days: list[tuple[str, date]], board: dict[str, Any] | None
    ) -> None:
        """Get the missed events, then watch again the days that were watched before, and show the board again."""
        try:
            while not is_ok(await self._sync(connection)):  # noqa: ASYNC110  # each round sends a request
                await asyncio.sleep(self._timeouts.longest_pause)
            for doctor_id, day in days:
                await connection.call("watch", *self.watch_call(doctor_id, day))
            if board is not None and board is self.board:
                await connection.call("board", *self.board_call())
        except ConnectionLost:
            return

    async def _sync(self, connection: Connection) -> Any:
        """Return the ack of `sync`, which has been applied; None when it did not come in time."""
        try:
            async with asyncio.timeout(self._timeouts.attempt):
                handler = self._updates.sync_handler(self._synced.set)
                return await connection.call("sync", self._updates.sync_request(), handler)
        except TimeoutError:
            return None

    async def _renew_tokens(self, connection: Connection) -> None:
        """Send the hub a new token whenever it announces that the current one expires.

        If that fails, the hub closes the connection, and the reconnect gets a new token or fails with the reason.
        """
        try:
            while True:
                await self._token_expiring.wait()
                self._token_expiring.clear()
                if not await self._tokens.renew(self._token_in_use, self._timeouts.attempt):
                    self._token_in_use = self._tokens.access
                    await connection.call("authenticate", {"token": self._token_in_use})
        except ConnectionLost:
            return

    def _handlers(self) -> dict[str, Handler]:
        return {
            **self._updates.event_handlers(),
            "token_expiring": lambda _: self._token_expiring.set(),
            "closing": self._on_closing,
        }

    def _on_closing(self, data: Any) -> None:
        self._closing_problem = problem_of(data)

    def _on_failure(self, error: Exception) -> None:
        self._failure = self._failure or error
        if self._connection:
            self._connection.mark_closed()

    def _wake_callers(self) -> None:
        self._connected.set()
        self._synced.set()
