"""The one set of command handlers that REST and sockets share: who may ask for what, and the way to the actor."""

import re
from collections.abc import Awaitable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Annotated, Literal, TypedDict, TypeVar, assert_never

import structlog
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from api.metrics import COMMAND_SECONDS, COMMANDS
from api.problems import RETRY_SOON, FieldError, Problem, refused
from hub.accounts.identity import Identity
from hub.bus.messages import Done
from hub.bus.ports import Commands, NoAnswer
from hub.clock import Clock
from hub.ids import derived_id, new_id
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    CancelAppointment,
    Command,
    CompleteAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
)
from hub.scheduling.values import Actor, Id, Instant, Reason, Role, Value, Via
from hub.scheduling.views import AppointmentView

log = structlog.get_logger()

PATIENCE = timedelta(seconds=15)
"""A command that no actor has met by then is not carried out any more: its sender was told to try again.

Longer by the clock where that runs faster than the machine's.
"""

# pydantic alone would take a Unix time, also written as text, and years whose UTC instant does not exist
_WRITTEN = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)

T = TypeVar("T")
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


class Booking:
    """Turns what somebody signed in asks for into a command, and the actor's answer into an appointment.

    `key` makes an ask repeatable: the same user and key give the same command id in every process, at any time.
    """

    def __init__(self, records: Records, commands: Commands, clock: Clock, patience: timedelta = PATIENCE) -> None:
        self._records = records
        self._commands = commands
        self._clock = clock
        self._patience = patience
        self._doctors: set[str] = set()  # known to exist; accounts are never removed, so this never grows old

    async def book(self, who: Identity, ask: BookRequest, via: Via, key: str | None) -> AppointmentView:
        """Book and return the appointment, which is in the record by then. Raises `Problem`."""
        patient_id = await self._patient_of(who, ask)
        await self._require_doctor(ask.doctor_id)
        at = self._clock()
        return await self._ask(
            BookAppointment(
                id=command_id(who, key),
                doctor_id=ask.doctor_id,
                patient_id=patient_id,
                start=ask.start,
                reason=ask.reason,
                by=_actor(who, via),
                at=at,
                expires=at + self._patience,
            ),
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
        appointment = await self._own(who, appointment_id)
        at = self._clock()
        header: _Header = {
            "id": command_id(who, key),
            "doctor_id": appointment.doctor_id,  # whose actor decides comes from the record, never from the client
            "appointment_id": appointment.id,
            "by": _actor(who, via),
            "at": at,
            "expires": at + self._patience,
        }
        return await self._ask(_change(header, kind, start))

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
        patient = await _stored(self._records.users.by_id(ask.patient_id))
        if patient is None or patient.role != "patient":
            raise _wrong("/patientId", "There is no such patient.", "unknown")
        return patient.id

    async def _require_doctor(self, doctor_id: str) -> None:
        if doctor_id in self._doctors:
            return
        doctor = await _stored(self._records.users.by_id(doctor_id))
        if doctor is None or doctor.role != "doctor":
            raise Problem("not_found", "There is no such doctor.")
        self._doctors.add(doctor_id)

    async def _own(self, who: Identity, appointment_id: str) -> Appointment:
        found = await _stored(self._records.appointments.by_ids([appointment_id]))
        appointment = found.get(appointment_id)
        if appointment is None or who.user_id not in (appointment.doctor_id, appointment.patient_id):
            raise Problem("not_found", "There is no such appointment.")
        return appointment

    async def _ask(self, command: Command) -> AppointmentView:
        began = perf_counter()
        outcome = "failed"
        try:
            reply = await self._commands.ask(command)
            outcome = "done" if isinstance(reply, Done) else reply.code.value
        except NoAnswer:
            outcome = "no_answer"
            raise
        finally:
            _note(command, outcome, perf_counter() - began)
        if isinstance(reply, Done):
            return reply.appointment
        raise refused(reply.code, reply.detail)


def _note(command: Command, outcome: str, seconds: float) -> None:
    by = command.by
    COMMANDS.labels(command.kind, by.via, outcome).inc()
    COMMAND_SECONDS.labels(command.kind, by.via).observe(seconds)
    log.info(
        "command",
        command_id=command.id,
        kind=command.kind,
        via=by.via,
        user_id=by.id,
        doctor_id=command.doctor_id,
        outcome=outcome,
        ms=round(seconds * 1000, 2),
    )


class _Header(TypedDict):
    id: str
    doctor_id: str
    appointment_id: str
    by: Actor
    at: datetime
    expires: datetime


def _change(header: _Header, kind: ChangeKind, start: datetime | None) -> Command:
    match kind:
        case "confirm":
            return ConfirmAppointment(**header)
        case "cancel":
            return CancelAppointment(**header)
        case "complete":
            return CompleteAppointment(**header)
        case "reschedule":
            if start is None:
                raise _wrong("/start", "Say when the appointment shall start.", "missing")
            return RescheduleAppointment(**header, start=start)
        case _:
            assert_never(kind)


async def _stored(reading: Awaitable[T]) -> T:
    """Await a read on a command's way: without the database nothing was carried out, so the client may try again."""
    try:
        return await reading
    except StoreUnavailable as error:
        raise Problem("try_again", "The database does not answer; nothing was changed.", headers=RETRY_SOON) from error


def command_id(who: Identity, key: str | None) -> str:
    """Return the id of the command that somebody asks for under a key: always the same, or a new one without a key."""
    return new_id() if key is None else derived_id(who.user_id, key)


def _actor(who: Identity, via: Via) -> Actor:
    return Actor(id=who.user_id, role=who.role, via=via)


def _wrong(where: str, detail: str, code: str) -> Problem:
    return Problem("invalid_request", detail, errors=[FieldError(where, detail, code)])
