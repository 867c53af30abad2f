"""A user's line to the hub: commands and live updates over Socket.IO. It reconnects by itself and misses no event."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Self

from pydantic import ValidationError

from hub.client.answers import Granted, NoResponse, Outcome, Problem
from hub.client.appointment import NamedAppointment
from hub.client.callbacks import Callbacks, ignore
from hub.client.commands import Commands, Request, Timeouts, Transport, Via
from hub.client.connection import ConnectionLost, Handler
from hub.client.positions import Positions
from hub.client.reconnecting import CannotConnect, ReconnectingConnection
from hub.client.rest import HttpClient, Tokens
from hub.client.wire import Told, is_ok, parse, problem_of, request_body


class Line:
    """Connected and synchronised inside `async with`, as far as the hub is available. Entering raises `CannotConnect`.

    `commands` sends commands over the line. A callback that raises ends the line, and leaving the block raises its
    exception.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # made in one place, `Member.line`
        self,
        http: HttpClient,
        tokens: Tokens,
        positions: Positions,
        callbacks: Callbacks,
        commands_over: Callable[[Transport], Commands],
        timeouts: Timeouts,
    ) -> None:
        self.commands = commands_over(self)
        self._positions = positions
        self._timeouts = timeouts
        self._connection = ReconnectingConnection(http, tokens, positions, callbacks, timeouts)

    @property
    def via(self) -> Via:
        """Socket.IO."""
        return "socket"

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    @property
    def position(self) -> Mapping[str, int]:
        """The last `seq` of each doctor that was passed to the callbacks."""
        return self._connection.position

    @property
    def ended(self) -> bool:
        """Whether the line has ended for good; leaving the block raises the reason."""
        return self._connection.ended

    async def send(self, request: Request, within: float) -> Outcome:
        """Send a command once, as soon as there is a connection."""
        argument = {**request_body(request), "commandId": request.key}
        ack = await self._call(request.command.kind, argument, ignore, within)
        if isinstance(ack, Problem | NoResponse):
            return ack
        try:
            self._positions.add(parse(Told, ack).position.items())
            return Granted(parse(NamedAppointment, ack.get("appointment")), None, ack.get("replayed") is True)
        except ValidationError as error:
            return NoResponse(f"an ack without an appointment: {error.error_count()} errors")

    async def watch(self, doctor_id: str, day: date) -> Problem | NoResponse | None:
        """Watch a calendar day of a doctor, also after reconnects; return None when `on_watched` has been called."""
        self._connection.watched[doctor_id, day] = None
        argument, handler = self._connection.watch_call(doctor_id, day)
        ack = await self._call("watch", argument, handler, self._timeouts.attempt)
        return ack if isinstance(ack, Problem | NoResponse) else None

    async def board(self, day: date, doctor_ids: Sequence[str] = ()) -> Problem | NoResponse | None:
        """Show a day of these doctors, of all if none is named, also after reconnects; it replaces the last board.

        Returns None when `on_board` has been called. For receptionists; for doctors, the own day.
        """
        self._connection.board = {"date": day.isoformat()} | ({"doctorId": list(doctor_ids)} if doctor_ids else {})
        argument, handler = self._connection.board_call()
        ack = await self._call("board", argument, handler, self._timeouts.attempt)
        return ack if isinstance(ack, Problem | NoResponse) else None

    async def leave_board(self) -> Problem | NoResponse | None:
        """End the board."""
        if (left := self._connection.board) is None:
            return None
        self._connection.board = None
        ack = await self._call("leave_board", {"date": left["date"]}, ignore, self._timeouts.attempt)
        return ack if isinstance(ack, Problem | NoResponse) else None

    async def _call(
        self, event: str, argument: dict[str, Any], handler: Handler, within: float
    ) -> dict[str, Any] | Problem | NoResponse:
        """Return the ack of an event if it is ok, else the problem."""
        try:
            async with asyncio.timeout(within):
                ack = await (await self._connection.current()).call(event, argument, handler)
        except TimeoutError:
            return NoResponse("no ack in time")
        except ConnectionLost:
            return NoResponse("the connection ended")
        except CannotConnect as error:
            return Problem("not_connected", str(error))
        return ack if is_ok(ack) else problem_of(ack.get("error") if isinstance(ack, dict) else None)
