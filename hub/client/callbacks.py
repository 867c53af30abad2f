"""The callbacks through which an application receives the updates of a line."""

from collections.abc import Callable
from dataclasses import dataclass

from hub.client.wire import AppointmentEvent, Board, CalendarEvent, SlotEvent, SyncAnswer, WaitingEvent, WatchedDay


def ignore(*_: object) -> None:
    """Do nothing: the default of every callback."""


@dataclass(frozen=True)
class Callbacks:
    """Functions that the line calls with each update, in the order in which the hub sent them. They must not block.

    `on_snapshot`: the user's appointments as they are now, which replace all earlier updates. It comes first, and again
    when the client missed too many events.
    `on_appointment`: a change of one of the user's appointments. Each change comes once, also after a lost connection.
    `on_calendar`: the same for a doctor's own hours, in one order with the appointments.
    `on_waiting`: the same for entries of the waitlist.
    `on_watched`: the slots of a watched day, at first and after each reconnect.
    `on_slot`: each later change of those slots.
    `on_board`: the board, at first and after each reconnect. Apply the later `on_appointment` whose `seq` is above the
    position that the board has for their doctor, and the later `on_slot`.
    `on_connected`, `on_disconnected`: the state of the connection.
    """

    on_snapshot: Callable[[SyncAnswer], None] = ignore
    on_appointment: Callable[[AppointmentEvent], None] = ignore
    on_calendar: Callable[[CalendarEvent], None] = ignore
    on_waiting: Callable[[WaitingEvent], None] = ignore
    on_watched: Callable[[WatchedDay], None] = ignore
    on_slot: Callable[[SlotEvent], None] = ignore
    on_board: Callable[[Board], None] = ignore
    on_connected: Callable[[], None] = ignore
    on_disconnected: Callable[[], None] = ignore
