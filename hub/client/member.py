"""A signed-in user's access to the hub: commands over REST, queries, and a line for live updates."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from hub.client.answers import Problem
from hub.client.appointment import NamedAppointment
from hub.client.callbacks import Callbacks
from hub.client.commands import Commands, Timeouts, Transport, User
from hub.client.day_changes import DayChanges
from hub.client.hours import OwnHours
from hub.client.line import Line
from hub.client.positions import Positions
from hub.client.rest import API, Call, HttpClient, Reply, RestTransport, Tokens, until_decided
from hub.client.waitlist import Waitlist
from hub.client.wire import Board, DoctorCard, JoinedPatient, PatientCard, parse
from hub.ids import new_id
from hub.scheduling.slots import Slot
from hub.scheduling.values import Status, rfc3339

_DOCTORS: TypeAdapter[list[DoctorCard]] = TypeAdapter(list[DoctorCard])
_SLOTS: TypeAdapter[list[Slot]] = TypeAdapter(list[Slot])
_APPOINTMENTS: TypeAdapter[list[NamedAppointment]] = TypeAdapter(list[NamedAppointment])

_PATIENTS: TypeAdapter[list[PatientCard]] = TypeAdapter(list[PatientCard])

_PAGE = 200


class CannotRead(Exception):
    """The hub refused a query, or did not answer in time; the message says which."""


class Member:
    """A signed-in user. `commands` are sent over REST; the commands of a line are sent over its socket."""

    def __init__(  # noqa: PLR0913  # made in one place, `Clinic.member`
        self,
        user: User,
        http: HttpClient,
        tokens: Tokens,
        commands_over: Callable[[Transport], Commands],
        timeouts: Timeouts,
        *,
        password_change_required: bool = False,
    ) -> None:
        self.user = user
        self.password_change_required = password_change_required
        """Whether the user logged in with a first password, which has to be changed before anything else."""
        self._http = http
        self._tokens = tokens
        self._commands_over = commands_over
        self._timeouts = timeouts
        self._positions = Positions()
        self._rest = RestTransport(http, tokens, self._positions)
        self.commands = commands_over(self._rest)
        self.own_hours = OwnHours(self._rest, timeouts)
        """For doctors."""
        self.waitlist = Waitlist(self._rest, timeouts)
        self.day_changes = DayChanges(http, tokens, self._positions, timeouts)
        """For receptionists, and for a doctor's own days."""

    def line(self, callbacks: Callbacks) -> Line:
        """Return a line; open it with `async with`."""
        return Line(self._http, self._tokens, self._positions, callbacks, self._commands_over, self._timeouts)

    async def doctors(self) -> list[DoctorCard]:
        """Return all doctors by name. Raises `CannotRead`, as all queries do."""
        return _DOCTORS.validate_python((await self._get("/doctors")).body, extra="ignore")

    async def slots(self, doctor_id: str, day: date) -> list[Slot]:
        """Return the slots of a doctor's calendar day."""
        reply = await self._get(f"/doctors/{doctor_id}/slots", {"date": day.isoformat()})
        return _SLOTS.validate_python(reply.body, extra="ignore")

    async def board(self, day: date, doctor_ids: Collection[str] = ()) -> Board:
        """Return the day of these doctors, of all if none is named. For receptionists; for doctors, the own day."""
        query = {"date": day.isoformat()} | ({"doctorId": ",".join(doctor_ids)} if doctor_ids else {})
        board = Board.model_validate((await self._get("/board", query)).body, extra="ignore")
        self._positions.add(board.position.items())
        return board

    async def appointment(self, appointment_id: str) -> NamedAppointment:
        """Return one of the user's appointments."""
        reply = await self._get(f"/appointments/{appointment_id}")
        return NamedAppointment.model_validate(reply.body, extra="ignore")

    async def appointments(
        self, statuses: Collection[Status] = (), start_from: datetime | None = None, start_to: datetime | None = None
    ) -> list[NamedAppointment]:
        """Return the user's appointments with these statuses (none given: all) that start in [from, to), by start."""
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

    async def register_patient(
        self, name: str, phone: str | None = None, email: str | None = None, key: str | None = None
    ) -> PatientCard:
        """Register a patient who cannot log in, once for each `key`. For receptionists. Raises `CannotRead`."""
        body = {name: value for name, value in (("name", name), ("phone", phone), ("email", email)) if value}
        call = Call("POST", f"{API}/patients", body=body, headers={"Idempotency-Key": key or new_id()})
        return PatientCard.model_validate((await self._answered(call)).body, extra="ignore")

    async def patient(self, patient_id: str) -> PatientCard:
        """Return a patient; for a doctor one who has or had an appointment with the doctor."""
        return PatientCard.model_validate((await self._get(f"/patients/{patient_id}")).body, extra="ignore")

    async def search_patients(self, query: str, limit: int = 20) -> list[PatientCard]:
        """Return at most `limit` patients who match all words of the query; for a doctor among the own patients."""
        reply = await self._get("/patients", {"q": query, "limit": str(limit)})
        return _PATIENTS.validate_python(reply.body, extra="ignore")

    async def change_patient(self, patient_id: str, **changed: str | None) -> PatientCard:
        """Change `name`, `phone` or `email` of a patient who cannot log in. For receptionists. Raises `CannotRead`."""
        call = Call("PATCH", f"{API}/patients/{patient_id}", body=changed)
        return PatientCard.model_validate((await self._answered(call)).body, extra="ignore")

    async def join_patient(self, patient_id: str, into: str) -> JoinedPatient:
        """Give the appointments of a patient who cannot log in to an account. Repeated until the hub has decided.

        For receptionists. Raises `CannotRead`.
        """
        call = Call("POST", f"{API}/patients/{patient_id}/join", body={"into": into})
        return parse(JoinedPatient, (await self._answered(call)).body)

    async def change_password(self, current: str, new: str) -> None:
        """Change the user's password. All other sessions of the user end; this one goes on, with new tokens."""
        await self._answered(Call("POST", f"{API}/auth/password", body={"current": current, "new": new}))
        if self.password_change_required:
            failed = await self._tokens.renew(self._tokens.access, self._timeouts.total)
            if failed is not None:
                raise CannotRead(f"the token after the change of the password: {failed}")
            self.password_change_required = False

    async def delete_account(self, password: str) -> None:
        """Erase the user, a patient, for good. All sessions end. Raises `CannotRead`, also when the answer was lost."""
        await self._answered(Call("DELETE", f"{API}/users/me", body={"password": password}))

    async def log_out(self) -> None:
        """End this session; its refresh token becomes invalid."""
        await self._answered(Call("POST", f"{API}/auth/logout"))

    async def _get(self, path: str, query: dict[str, Any] | None = None) -> Reply:
        return await self._answered(Call("GET", f"{API}{path}", query=query))

    async def _answered(self, call: Call) -> Reply:
        """Repeat a call until it is answered or the total timeout ends."""
        reply = await until_decided(self._rest, call, self._timeouts)
        if isinstance(reply, Reply):
            return reply
        reason = f"{reply.code} {reply.detail}" if isinstance(reply, Problem) else reply.cause
        raise CannotRead(f"{call.method} {call.path}: {reason}")
