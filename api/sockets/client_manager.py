"""python-socketio's book of who is in which room, with an index by client.

Without it a disconnect looks through all rooms, and every client has a room of its own: 9.6 ms of standstill for each
of 55,000, so a network that fails stops the process for minutes.
"""

from typing import Any

import socketio


class IndexedRooms(socketio.AsyncManager):  # type: ignore[misc]  # published without types
    """Passed to the server as its `client_manager`."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms_of: dict[tuple[str, str], set[str | None]] = {}

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Put a client into a room; None is the room of all."""
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault((namespace, sid), set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Take a client out of a room."""
        super().basic_leave_room(sid, namespace, room)
        if (rooms := self._rooms_of.get((namespace, sid))) is not None:
            rooms.discard(room)
            if not rooms:
                del self._rooms_of[namespace, sid]

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """Return the rooms that a client is in, besides the room of all."""
        return [room for room in self._rooms_of.get((namespace, sid), ()) if room is not None]

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Forget a client: the inherited method, without its look through all rooms."""
        for room in tuple(self._rooms_of.get((namespace, sid), ())):
            self.basic_leave_room(sid, namespace, room)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]
