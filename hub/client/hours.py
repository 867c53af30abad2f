"""A doctor's own hours and time off, over REST."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.client.answers import Refusal, Silence
from hub.client.asking import Patience
from hub.client.rest import API, Call, Reply, Rest, until_decided
from hub.client.wire import EnteredTimeOff, OwnCalendar, read
from hub.ids import new_id
from hub.scheduling.schedule import Shift
from hub.scheduling.values import rfc3339

_ME = f"{API}/doctors/me"


class OwnHours:
    """Commands under a key each: the same one is sent again while the hub leaves it undecided. `key` makes it so."""

    def __init__(self, rest: Rest, patience: Patience) -> None:
        self._rest = rest
        self._patience = patience

    async def show(self) -> OwnCalendar | Refusal | Silence:
        """Return the hours as they are."""
        reply = await until_decided(self._rest, Call("GET", f"{_ME}/hours"), self._patience)
        return read(OwnCalendar, reply.body) if isinstance(reply, Reply) else reply

    async def change(self, shifts: Sequence[Shift], key: str | None = None) -> OwnCalendar | Refusal | Silence:
        """Replace the weekly hours; the answer names the appointments that lie outside the new ones."""
        body = {"shifts": [shift.model_dump(mode="json", by_alias=True) for shift in shifts]}
        reply = await self._send("PUT", "/hours", key, body)
        return read(OwnCalendar, reply.body) if isinstance(reply, Reply) else reply

    async def add_time_off(
        self, start: datetime, end: datetime, note: str | None = None, key: str | None = None
    ) -> EnteredTimeOff | Refusal | Silence:
        """Enter time off; the answer names the appointments that lie in it."""
        body = {"start": rfc3339(start), "end": rfc3339(end)} | ({"note": note} if note else {})
        reply = await self._send("POST", "/time-off", key, body)
        return read(EnteredTimeOff, reply.body) if isinstance(reply, Reply) else reply

    async def remove_time_off(self, time_off_id: str, key: str | None = None) -> Refusal | Silence | None:
        """Take time off back; None when that worked."""
        reply = await self._send("DELETE", f"/time-off/{time_off_id}", key, None)
        return None if isinstance(reply, Reply) else reply

    async def _send(
        self, method: str, path: str, key: str | None, body: dict[str, Any] | None
    ) -> Reply | Refusal | Silence:
        headers = {"Idempotency-Key": key or new_id()}
        return await until_decided(self._rest, Call(method, _ME + path, body=body, headers=headers), self._patience)
