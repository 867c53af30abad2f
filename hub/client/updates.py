"""Decodes the messages of the hub and calls the callbacks: each event once, in order, over all connections."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from hub.client.callbacks import Callbacks
from hub.client.connection import Handler
from hub.client.positions import Positions
from hub.client.sync_position import SyncPosition
from hub.client.wire import (
    AppointmentEvent,
    Board,
    CalendarEvent,
    DoctorEvent,
    SlotEvent,
    SyncAnswer,
    Told,
    WaitingEvent,
    WatchedDay,
    is_ok,
    parse,
)


class Updates:
    """The handlers of the hub's messages.

    `failed` is called when a handler or a callback raises. Without that, socketio would log the exception and go on.
    """

    def __init__(self, callbacks: Callbacks, positions: Positions, failed: Callable[[Exception], None]) -> None:
        self._callbacks = callbacks
        self._positions = positions
        self._failed = failed
        self._sync = SyncPosition()

    @property
    def position(self) -> Mapping[str, int]:
        """The last `seq` of each doctor that was passed to the callbacks."""
        return self._sync.position or {}

    def connected(self) -> None:
        """Call `on_connected`."""
        self._guarded(self._callbacks.on_connected)()

    def disconnected(self) -> None:
        """Call `on_disconnected`."""
        self._guarded(self._callbacks.on_disconnected)()

    def begin_connection(self) -> None:
        """Hold back events until the answer to `sync`. Call this before each new connection."""
        self._sync.begin_connection()

    def sync_request(self) -> dict[str, object]:
        """Return the argument of `sync`."""
        return self._sync.request()

    def event_handlers(self) -> dict[str, Handler]:
        """Return the handlers of the events that carry updates."""
        return {
            "appointment": self._guarded(lambda data: self._on_event(parse(AppointmentEvent, data))),
            "calendar": self._guarded(lambda data: self._on_event(parse(CalendarEvent, data))),
            "waiting": self._guarded(lambda data: self._on_event(parse(WaitingEvent, data))),
            "slot": self._guarded(lambda data: self._on_slot(parse(SlotEvent, data))),
        }

    def sync_handler(self, then: Callable[[], None]) -> Handler:
        """Return the handler of the ack of `sync`, which calls `then` when the callbacks are up to date."""

        def handle(ack: Any) -> None:
            if not is_ok(ack):
                return
            answer = parse(SyncAnswer, ack)
            self._positions.add(answer.position.items())
            if answer.mode == "snapshot":
                self._callbacks.on_snapshot(answer)
            self._apply(self._sync.on_answer(answer))
            then()

        return self._guarded(handle)

    def watch_handler(self, doctor_id: str, day: date) -> Handler:
        """Return the handler of the ack of `watch`. It has to run before the handlers of later slot events."""

        def handle(ack: Any) -> None:
            if is_ok(ack):
                self._positions.add(parse(Told, ack).position.items())
                watched = {"doctorId": doctor_id, "day": day, "slots": ack.get("slots")}
                self._callbacks.on_watched(parse(WatchedDay, watched))

        return self._guarded(handle)

    def _on_slot(self, event: SlotEvent) -> None:
        self._positions.add([(event.doctor_id, event.seq)])
        self._callbacks.on_slot(event)

    def board_handler(self) -> Handler:
        """Return the handler of the ack of `board`. It has to run before the handlers of later events."""

        def handle(ack: Any) -> None:
            if is_ok(ack):
                board = parse(Board, ack)
                self._positions.add(board.position.items())
                self._callbacks.on_board(board)

        return self._guarded(handle)

    def _on_event(self, event: DoctorEvent) -> None:
        self._positions.add([(event.doctor_id, event.seq)])
        self._apply(self._sync.on_event(event))

    def _apply(self, events: Iterable[DoctorEvent]) -> None:
        for event in events:
            if isinstance(event, CalendarEvent):
                self._callbacks.on_calendar(event)
            elif isinstance(event, WaitingEvent):
                self._callbacks.on_waiting(event)
            else:
                self._callbacks.on_appointment(event)

    def _guarded(self, handler: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            try:
                handler(*arguments)
            except Exception as error:  # noqa: BLE001  # `failed` hands it to the line, which raises it
                self._failed(error)

        return call
