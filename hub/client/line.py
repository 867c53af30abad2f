"""A person's line to the hub: a Socket.IO connection that comes back by itself, for commands and for what is told."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pydantic import ValidationError

from hub.client.answers import UNDECIDED, Granted, Outcome, Refusal, Silence
from hub.client.asking import Ask, Commands, Patience, Via, Way
from hub.client.connection import Connection, Gone, Hears
from hub.client.progress import Progress
from hub.client.rest import Tokens, Web
from hub.client.wire import (
    AppointmentEvent,
    CalendarEvent,
    SlotEvent,
    Synced,
    Told,
    WatchedDay,
    read,
    refusal_of,
    written,
)
from hub.scheduling.views import AppointmentView

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0


class CannotConnect(Exception):
    """The hub does not let this person in, or does not answer; the message says which."""


def _nothing(*_: object) -> None:
    """Hear something without doing anything."""


@dataclass(frozen=True)
class Callbacks:
    """What is called with what the hub tells, in the order in which it tells it; none of them may block.

    `on_snapshot`: one's own appointments as they are, instead of all that was told before; it comes first, and again
    when too much was missed. `on_appointment`: a change of one of them, each once, also those that happened while there
    was no connection; `on_calendar` is the same of a doctor's own hours, in one order with them. `on_watched`: the
    slots of a watched day, at first and after each reconnect; `on_slot`: every change of them after that.
    `on_connected`, `on_disconnected`: how the line is.
    """

    on_snapshot: Callable[[Synced], None] = _nothing
    on_appointment: Callable[[AppointmentEvent], None] = _nothing
    on_calendar: Callable[[CalendarEvent], None] = _nothing
    on_watched: Callable[[WatchedDay], None] = _nothing
    on_slot: Callable[[SlotEvent], None] = _nothing
    on_connected: Callable[[], None] = _nothing
    on_disconnected: Callable[[], None] = _nothing


class Line:
    """Connected and in step between `async with`, as far as the hub is there; entering raises `CannotConnect`.

    `commands` sends commands over it. A callback that raises ends the line, and leaving raises what it raised.
    """

    def __init__(
        self, web: Web, tokens: Tokens, callbacks: Callbacks, commands_on: Callable[[Way], Commands], patience: Patience
    ) -> None:
        self.commands = commands_on(self)
        self._web = web
        self._tokens = tokens
        self._callbacks = callbacks
        self._patience = patience
        self._watched: dict[tuple[str, date], None] = {}
        self._connection: Connection | None = None
        self._progress = Progress()
        self._up = asyncio.Event()  # this and the next are also set when the line is dead: nobody waits for it then
        self._in_step = asyncio.Event()
        self._expiring = asyncio.Event()
        self._shown = tokens.access
        self._sent_away: Refusal | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._trouble = "no answer"
        self._broken: Exception | None = None

    @property
    def via(self) -> Via:
        """Socket.IO."""
        return "socket"

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep())
        self._keeping.add_done_callback(lambda _: self._wake_all())
        try:
            async with asyncio.timeout(self._patience.in_all):
                await self._in_step.wait()
        except TimeoutError:
            await self._stop()
            raise CannotConnect(f"no line to {self._web.base_url}: {self._trouble}") from None
        if self._keeping.done():
            await self._stop()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    @property
    def position(self) -> Mapping[str, int]:
        """The last `seq` of each doctor that the callbacks have been told of."""
        return self._progress.position or {}

    async def send(self, ask: Ask, within: float) -> Outcome:
        """Send a command once, when there is a connection."""
        ack = await self._call(ask.wish.kind, {**written(ask), "commandId": ask.key}, _nothing, within)
        if isinstance(ack, Refusal | Silence):
            return ack
        try:
            return Granted(read(AppointmentView, ack.get("appointment")), None)
        except ValidationError as error:
            return Silence(f"an ack without an appointment: {error.error_count()} errors")

    async def watch(self, doctor_id: str, day: date) -> Refusal | Silence | None:
        """Watch a doctor's calendar day from now on, over reconnects too; None when `on_watched` has been called."""
        self._watched[doctor_id, day] = None
        ack = await self._call("watch", *self._watch(doctor_id, day), self._patience.each)
        return ack if isinstance(ack, Refusal | Silence) else None

    async def _call(
        self, event: str, argument: dict[str, Any], hears: Hears, within: float
    ) -> dict[str, Any] | Refusal | Silence:
        """Return the ack of an event, if it says ok."""
        try:
            async with asyncio.timeout(within):
                ack = await (await self._connected()).call(event, argument, hears)
        except TimeoutError:
            return Silence("no ack in time")
        except Gone:
            return Silence("the connection ended")
        except CannotConnect as error:
            return Refusal("not_connected", str(error))
        return ack if _is_ok(ack) else refusal_of(ack.get("error") if isinstance(ack, dict) else None)

    async def _connected(self) -> Connection:
        """Return the connection when there is one. Raises `CannotConnect` when there will be none."""
        while self._connection is None:
            if self._keeping is None or self._keeping.done():
                raise CannotConnect(f"the line is closed: {self._trouble}")
            await self._up.wait()
        return self._connection

    async def _keep(self) -> None:
        """Connect, and again whenever the connection is gone, until the hub refuses or a callback fails."""
        pause = _FIRST_PAUSE
        while True:
            self._progress.lost()
            connection = Connection(self._web.http, self._guarded(self._callbacks.on_connected), self._events())
            try:
                failed = await self._open(connection)
                if failed is None:
                    pause = _FIRST_PAUSE
                    failed = await self._serve(connection)
            finally:
                await connection.close()
            if self._broken:
                raise self._broken
            if isinstance(failed, Refusal) and failed.code == "token_expired":
                failed = await self._tokens.renew(self._shown, self._patience.each)
            if isinstance(failed, Refusal) and failed.code not in UNDECIDED:
                self._trouble = f"{failed.code} {failed.detail}".strip()
                raise CannotConnect(f"{self._web.base_url} refused the line: {self._trouble}")
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _open(self, connection: Connection) -> Refusal | Silence | None:
        """Connect; None when that worked."""
        self._shown = self._tokens.access
        failed = await connection.open(self._web.base_url, self._shown)
        if isinstance(failed, Silence):
            self._trouble = failed.cause
        return failed

    async def _serve(self, connection: Connection) -> Refusal | None:
        """Let the connection be used while it lives; return the reason that the hub gave for its end, if it did."""
        self._sent_away = None
        self._expiring.clear()
        self._connection = connection
        self._up.set()
        tending = [
            asyncio.create_task(self._catch_up(connection, list(self._watched))),
            asyncio.create_task(self._stay_signed_in(connection)),
        ]
        try:
            await connection.gone.wait()
        finally:
            self._connection = None
            self._up.clear()
            for task in tending:
                task.cancel()
            await asyncio.gather(*tending, return_exceptions=True)
            self._guarded(self._callbacks.on_disconnected)()
        return self._sent_away

    async def _catch_up(self, connection: Connection, days: list[tuple[str, date]]) -> None:
        """Learn what was missed, and watch again what was watched before."""
        try:
            while not _is_ok(await self._sync(connection)):  # noqa: ASYNC110  # each time round it asks the hub
                await asyncio.sleep(_LONGEST_PAUSE)
            for doctor_id, day in days:
                await connection.call("watch", *self._watch(doctor_id, day))
        except Gone:
            return

    async def _sync(self, connection: Connection) -> Any:
        """Return the ack, which has been applied, or None when none came in time."""
        try:
            async with asyncio.timeout(self._patience.each):
                return await connection.call("sync", self._progress.ask(), self._guarded(self._synced))
        except TimeoutError:
            return None

    def _synced(self, ack: Any) -> None:
        if not _is_ok(ack):
            return
        answer = read(Synced, ack)
        if answer.mode == "snapshot":
            self._callbacks.on_snapshot(answer)
        self._apply(self._progress.answered(answer))
        self._in_step.set()

    async def _stay_signed_in(self, connection: Connection) -> None:
        """Show the hub a new token whenever it says that the one it knows expires; if that fails, it will end the line.

        The line then comes back with a new token, or says that there is none to be had.
        """
        try:
            while True:
                await self._expiring.wait()
                self._expiring.clear()
                if not await self._tokens.renew(self._shown, self._patience.each):
                    self._shown = self._tokens.access
                    await connection.call("authenticate", {"token": self._shown})
        except Gone:
            return

    def _wake_all(self) -> None:
        self._up.set()
        self._in_step.set()

    async def _stop(self) -> None:
        """End the line; raises what ended it before, if something did."""
        if self._keeping is None:
            return
        self._keeping.cancel()
        try:
            await self._keeping
        except asyncio.CancelledError:
            if self._keeping.cancelled():
                return
            raise

    def _watch(self, doctor_id: str, day: date) -> tuple[dict[str, Any], Hears]:
        """Return the argument of a watch, and what hears its ack: slots told later must not be heard before it."""

        def hears(ack: Any) -> None:
            if _is_ok(ack):
                told = {"doctorId": doctor_id, "day": day, "slots": ack.get("slots")}
                self._callbacks.on_watched(read(WatchedDay, told))

        return {"doctorId": doctor_id, "date": day.isoformat()}, self._guarded(hears)

    def _events(self) -> dict[str, Hears]:
        return {
            "appointment": self._guarded(lambda said: self._told(read(AppointmentEvent, said))),
            "calendar": self._guarded(lambda said: self._told(read(CalendarEvent, said))),
            "slot": self._guarded(lambda said: self._callbacks.on_slot(read(SlotEvent, said))),
            "token_expiring": lambda _: self._expiring.set(),
            "closing": self._closing,
        }

    def _told(self, event: Told) -> None:
        self._apply(self._progress.told(event))

    def _apply(self, events: Iterable[Told]) -> None:
        for event in events:
            if isinstance(event, CalendarEvent):
                self._callbacks.on_calendar(event)
            else:
                self._callbacks.on_appointment(event)

    def _closing(self, said: Any) -> None:
        self._sent_away = refusal_of(said)

    def _guarded(self, hears: Callable[..., None]) -> Callable[..., None]:
        """Return the callback such that its failure ends the line; the library would write it down and go on."""

        def call(*said: Any) -> None:
            try:
                hears(*said)
            except Exception as error:  # noqa: BLE001  # raised again where the line is kept
                self._broken = self._broken or error
                if self._connection:
                    self._connection.end()

        return call


def _is_ok(ack: Any) -> bool:
    return isinstance(ack, dict) and ack.get("ok") is True
