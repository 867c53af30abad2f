"""The one set of command handlers that REST and sockets share: who may ask for what, and the way to the actor."""

import re
from datetime import datetime
from typing import Annotated, Literal, assert_never

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from api.commands.command_client import CommandClient, Header, stored
from api.http.problems import FieldError, Problem
from api.visibility import visible_appointment
from hub.accounts.identity import Identity
from hub.bus.messages import TimetableDone
from hub.records.ports import Records
from hub.scheduling.commands import (
    BookAppointment,
    CancelAppointment,
    Change,
    CompleteAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
)
from hub.scheduling.values import Id, Instant, Reason, Role, Value, Via
from hub.scheduling.views import AppointmentView

# pydantic alone would take a Unix time, also written as text, and years whose UTC instant does not exist
_WRITTEN = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)

ChangeKind = Literal["confirm", "cancel", "complete", "reschedule"]


def _read(written: object) -> datetime:
    """Return the time that the text says, naive if it names no zone: the next validator complains of that."""
    if isinstance(written, str) and _WRITTEN.fullmatch(written):
        try:
            return datetime.fromisoformat(written)
        except ValueError:
            pass  # a month 13: no time either
    raise PydanticCustomError("datetime_format", "Input should be a time like 2026-11-23T09:30:00Z")


Moment = Annotated[Instant, BeforeValidator(_read, json_schema_input_type=datetime)]
"""An instant as clients write it: RFC 3339 with its zone, in the years 1000 to 2999."""


class BookRequest(Value):
    """Who asks for which slot. Only a doctor names the patient; a patient may name nobody else."""

    doctor_id: Id
    start: Moment
    reason: Reason | None = None
    patient_id: Id | None = None


class RescheduleRequest(Value):
    """Where the appointment moves to."""

    start: Moment


class AppointmentCommands:
    """Turns what somebody signed in asks for into a command, and the actor's answer into an appointment.

    `key` makes an ask repeatable, see `api.commands.command_client`.
    """

    def __init__(self, records: Records, client: CommandClient) -> None:
        self._records = records
        self._client = client
        self._doctors: set[str] = set()  # known to exist; accounts are never removed, so this never grows old

    async def book(self, who: Identity, ask: BookRequest, via: Via, key: str | None) -> AppointmentView:
        """Book and return the appointment, which is in the record by then. Raises `Problem`."""
        patient_id = await self._patient_of(who, ask)
        await self._require_doctor(ask.doctor_id)
        header = self._client.header(who, ask.doctor_id, via, key)
        return await self._ask(
            BookAppointment(**header, patient_id=patient_id, start=ask.start, reason=ask.reason),
        )

    async def change(  # noqa: PLR0913, PLR0917  # who, what, how and until when: each a word of its own
        self,
        who: Identity,
        kind: ChangeKind,
        appointment_id: str,
        via: Via,
        key: str | None,
        start: datetime | None = None,
    ) -> AppointmentView:
        """Change an appointment of the caller and return it as it stands then; `start` is for reschedule only.

        Raises `Problem`; an appointment of other people is `not_found`, as one that does not exist.
        """
        appointment = await stored(visible_appointment(self._records.appointments, who, appointment_id))
        # Whose actor decides comes from the record, never from the client.
        header = self._client.header(who, appointment.doctor_id, via, key)
        return await self._ask(_change(header, appointment.id, kind, start))

    async def _patient_of(self, who: Identity, ask: BookRequest) -> str:
        """Return for whom the slot is, or raise: patients book for themselves, doctors in their own calendar."""
        if who.role is Role.PATIENT:
            if ask.patient_id not in (None, who.user_id):
                raise Problem("forbidden", "Patients book for themselves.")
            return who.user_id
        if ask.doctor_id != who.user_id:
            raise Problem("forbidden", "Doctors book in their own calendar.")
        if ask.patient_id is None:
            raise _wrong("/patientId", "A doctor says for which patient.", "missing")
        patient = await stored(self._records.users.by_id(ask.patient_id))
        if patient is None or patient.role != "patient":
            raise _wrong("/patientId", "There is no such patient.", "unknown")
        return patient.id

    async def _require_doctor(self, doctor_id: str) -> None:
        if doctor_id in self._doctors:
            return
        doctor = await stored(self._records.users.by_id(doctor_id))
        if doctor is None or doctor.role != "doctor":
            raise Problem("not_found", "There is no such doctor.")
        self._doctors.add(doctor_id)

    async def _ask(self, command: BookAppointment | Change) -> AppointmentView:
        done = await self._client.send(command)
        if isinstance(done, TimetableDone):
            raise TypeError(f"an actor answered {command.kind} with a timetable")
        return done.appointment


def _change(header: Header, appointment_id: str, kind: ChangeKind, start: datetime | None) -> Change:
    match kind:
        case "confirm":
            return ConfirmAppointment(**header, appointment_id=appointment_id)
        case "cancel":
            return CancelAppointment(**header, appointment_id=appointment_id)
        case "complete":
            return CompleteAppointment(**header, appointment_id=appointment_id)
        case "reschedule":
            if start is None:
                raise _wrong("/start", "Say when the appointment shall start.", "missing")
            return RescheduleAppointment(**header, appointment_id=appointment_id, start=start)
        case _:
            assert_never(kind)


def _wrong(where: str, detail: str, code: str) -> Problem:
    return Problem("invalid_request", detail, errors=[FieldError(where, detail, code)])
