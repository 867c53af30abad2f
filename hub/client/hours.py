"""A doctor's own hours and time off, over REST."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from hub.client.answers import NoResponse, Problem
from hub.client.commands import Timeouts
from hub.client.rest import API, Call, Reply, RestTransport, until_decided
from hub.client.wire import EnteredTimeOff, OwnCalendar, parse
from hub.ids import new_id
from hub.scheduling.schedule import Shift
from hub.scheduling.values import rfc3339

C = TypeVar("C", OwnCalendar, EnteredTimeOff)
_ME = f"{API}/doctors/me"


class OwnHours:
    """Reads and changes the own hours. Each change has a key and is repeated under it until the hub decides it."""

    def __init__(self, rest: RestTransport, timeouts: Timeouts) -> None:
        self._rest = rest
        self._timeouts = timeouts

    async def show(self) -> OwnCalendar | Problem | NoResponse:
        """Return the current hours."""
        reply = await until_decided(self._rest, Call("GET", f"{_ME}/hours"), self._timeouts)
        return parse(OwnCalendar, reply.body) if isinstance(reply, Reply) else reply

    async def change(self, shifts: Sequence[Shift], key: str | None = None) -> OwnCalendar | Problem | NoResponse:
        """Replace the weekly hours; the answer lists the appointments outside the new hours."""
        body = {"shifts": [shift.model_dump(mode="json", by_alias=True) for shift in shifts]}
        reply = await self._send("PUT", "/hours", key, body)
        return _changed(OwnCalendar, reply) if isinstance(reply, Reply) else reply

    async def add_time_off(
        self, start: datetime, end: datetime, note: str | None = None, key: str | None = None
    ) -> EnteredTimeOff | Problem | NoResponse:
        """Add time off; the answer lists the appointments during it."""
        body = {"start": rfc3339(start), "end": rfc3339(end)} | ({"note": note} if note else {})
        reply = await self._send("POST", "/time-off", key, body)
        return _changed(EnteredTimeOff, reply) if isinstance(reply, Reply) else reply

    async def remove_time_off(self, time_off_id: str, key: str | None = None) -> Problem | NoResponse | None:
        """Remove time off; return None on success."""
        reply = await self._send("DELETE", f"/time-off/{time_off_id}", key, None)
        return None if isinstance(reply, Reply) else reply

    async def _send(
        self, method: str, path: str, key: str | None, body: dict[str, Any] | None
    ) -> Reply | Problem | NoResponse:
        headers = {"Idempotency-Key": key or new_id()}
        return await until_decided(self._rest, Call(method, _ME + path, body=body, headers=headers), self._timeouts)


def _changed(model: type[C], reply: Reply) -> C:
    return parse(model, {**reply.body, "replayed": reply.replayed})
