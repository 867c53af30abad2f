"""What a person who is signed in can ask: commands over REST, a line for more, and questions."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from hub.client.answers import Refusal
from hub.client.asking import Commands, Patience, Way, Who
from hub.client.hours import OwnHours
from hub.client.line import Callbacks, Line
from hub.client.rest import API, Call, Reply, Rest, Tokens, Web, until_decided
from hub.client.wire import DoctorCard
from hub.scheduling.slots import Slot
from hub.scheduling.values import Status, rfc3339
from hub.scheduling.views import AppointmentView

_DOCTORS: TypeAdapter[list[DoctorCard]] = TypeAdapter(list[DoctorCard])
_SLOTS: TypeAdapter[list[Slot]] = TypeAdapter(list[Slot])
_APPOINTMENTS: TypeAdapter[list[AppointmentView]] = TypeAdapter(list[AppointmentView])

_PAGE = 200


class CannotRead(Exception):
    """A question was refused, or nobody answered it in time; the message says which."""


class Member:
    """Somebody signed in. `commands` go over REST; those of a line go over its socket."""

    def __init__(
        self, who: Who, web: Web, tokens: Tokens, commands_on: Callable[[Way], Commands], patience: Patience
    ) -> None:
        self.who = who
        self._web = web
        self._tokens = tokens
        self._commands_on = commands_on
        self._patience = patience
        self._rest = Rest(web, tokens)
        self.commands = commands_on(self._rest)
        self.own_hours = OwnHours(self._rest, patience)
        """For doctors."""

    def line(self, callbacks: Callbacks) -> Line:
        """Return a line, to be opened with `async with`."""
        return Line(self._web, self._tokens, callbacks, self._commands_on, self._patience)

    async def doctors(self) -> list[DoctorCard]:
        """Return all doctors by name. Raises `CannotRead`, as all questions do."""
        return _DOCTORS.validate_python((await self._get("/doctors")).body, extra="ignore")

    async def slots(self, doctor_id: str, day: date) -> list[Slot]:
        """Return the slots of a doctor's calendar day."""
        reply = await self._get(f"/doctors/{doctor_id}/slots", {"date": day.isoformat()})
        return _SLOTS.validate_python(reply.body, extra="ignore")

    async def appointment(self, appointment_id: str) -> AppointmentView:
        """Return one of one's own appointments."""
        reply = await self._get(f"/appointments/{appointment_id}")
        return AppointmentView.model_validate(reply.body, extra="ignore")

    async def appointments(
        self, statuses: Collection[Status] = (), start_from: datetime | None = None, start_to: datetime | None = None
    ) -> list[AppointmentView]:
        """Return one's own appointments of these statuses (none named: of all) that start in [from, to), by start."""
        query = {"limit": str(_PAGE)}
        if statuses:
            query["status"] = ",".join(sorted(statuses))
        if start_from:
            query["from"] = rfc3339(start_from)
        if start_to:
            query["to"] = rfc3339(start_to)
        reply = await self._get("/appointments", query)
        found = _APPOINTMENTS.validate_python(reply.body, extra="ignore")
        while reply.next_page:
            reply = await self._answered(Call("GET", reply.next_page))
            found += _APPOINTMENTS.validate_python(reply.body, extra="ignore")
        return found

    async def log_out(self) -> None:
        """End this log-in: its refresh token is worth nothing any more."""
        await self._answered(Call("POST", f"{API}/auth/logout"))

    async def _get(self, path: str, query: dict[str, Any] | None = None) -> Reply:
        return await self._answered(Call("GET", f"{API}{path}", query=query))

    async def _answered(self, call: Call) -> Reply:
        """Make a call until it is answered or patience ends."""
        reply = await until_decided(self._rest, call, self._patience)
        if isinstance(reply, Reply):
            return reply
        said = f"{reply.code} {reply.detail}" if isinstance(reply, Refusal) else str(reply)
        raise CannotRead(f"{call.method} {call.path}: {said}")
