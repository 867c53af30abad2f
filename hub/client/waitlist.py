"""The waitlist, over REST."""

from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from hub.client.answers import NoResponse, Problem
from hub.client.appointment import NamedAppointment
from hub.client.commands import Timeouts
from hub.client.rest import API, Call, Reply, RestTransport, until_decided
from hub.client.wire import WaitingEntry, parse
from hub.ids import new_id
from hub.scheduling.values import rfc3339

_ENTRIES: TypeAdapter[list[WaitingEntry]] = TypeAdapter(list[WaitingEntry])
_WAITLIST = f"{API}/waitlist"


class Waitlist:
    """Joins, leaves and shows waitlists. Each change has a key and is repeated under it until the hub decides it.

    Offers are appointments of the status `offered`: `commands.accept` and `commands.decline` answer them.
    """

    def __init__(self, rest: RestTransport, timeouts: Timeouts) -> None:
        self._rest = rest
        self._timeouts = timeouts

    async def show(self, doctor_id: str | None = None) -> list[WaitingEntry] | Problem | NoResponse:
        """Return who waits: a patient's own entries, a doctor's own line, for receptionists all lines or one."""
        query = {"doctorId": doctor_id} if doctor_id else None
        reply = await until_decided(self._rest, Call("GET", _WAITLIST, query=query), self._timeouts)
        return _ENTRIES.validate_python(reply.body, extra="ignore") if isinstance(reply, Reply) else reply

    async def join(  # noqa: PLR0913  # each is a part of the wish
        self,
        doctor_id: str,
        first_day: date,
        last_day: date,
        *,
        weekdays: tuple[int, ...] | None = None,
        between: tuple[int, int] | None = None,
        patient_id: str | None = None,
        key: str | None = None,
    ) -> WaitingEntry | Problem | NoResponse:
        """Wait for a time from the first day to the last one, by the doctor's clock.

        `weekdays`: 0 is Monday. `between`: minutes after midnight, the end excluded. Staff say for which patient.
        """
        body: dict[str, Any] = {"doctorId": doctor_id, "from": first_day.isoformat(), "to": last_day.isoformat()}
        if weekdays is not None:
            body["weekdays"] = list(weekdays)
        if between is not None:
            body["between"] = {"opens": between[0], "closes": between[1]}
        if patient_id is not None:
            body["patientId"] = patient_id
        reply = await self._send("POST", "", key, body)
        return parse(WaitingEntry, reply.body) if isinstance(reply, Reply) else reply

    async def leave(self, entry_id: str, key: str | None = None) -> WaitingEntry | Problem | NoResponse:
        """Do not wait any more; staff take a patient out of the line."""
        reply = await self._send("DELETE", f"/{entry_id}", key, None)
        return parse(WaitingEntry, reply.body) if isinstance(reply, Reply) else reply

    async def offer(
        self, entry_id: str, start: datetime, key: str | None = None
    ) -> NamedAppointment | Problem | NoResponse:
        """Offer a free slot to somebody, out of turn. For staff."""
        reply = await self._send("POST", f"/{entry_id}/offer", key, {"start": rfc3339(start)})
        return parse(NamedAppointment, reply.body) if isinstance(reply, Reply) else reply

    async def _send(
        self, method: str, path: str, key: str | None, body: dict[str, Any] | None
    ) -> Reply | Problem | NoResponse:
        headers = {"Idempotency-Key": key or new_id()}
        return await until_decided(
            self._rest, Call(method, _WAITLIST + path, body=body, headers=headers), self._timeouts
        )
