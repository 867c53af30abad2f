"""The commands on appointments, for REST, sockets and texts: who may give which, and the answer of the actor."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from api.commands.command_client import CommandClient, Done, Header, stored
from api.commands.patient_choice import chosen_patient
from api.http.problems import Code, FieldError, Problem
from api.http.request_reading import OptionalBody
from api.visibility import require_visible, visible_appointment
from hub.accounts.identity import Identity
from hub.records.appointment_filter import Listed
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import (
    BookAppointment,
    CallInPatient,
    CancelAppointment,
    Change,
    CheckInPatient,
    CompleteAppointment,
    ConfirmAppointment,
    RescheduleAppointment,
    UndoVisit,
)
from hub.scheduling.events import AppointmentBooked
from hub.scheduling.values import Id, Instant, Role, Value, Via
from hub.scheduling.views import AppointmentView
from hub.scheduling.waitlist_commands import AcceptOffer, DeclineOffer

# Pydantic alone would accept a Unix time, also as text, and years whose UTC instant does not exist.
_RFC3339 = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)

ChangeKind = Literal[
    "confirm", "cancel", "complete", "reschedule", "check_in", "call_in", "undo_visit", "accept", "decline"
]

START_PROBLEMS: tuple[Code, ...] = (
    "slot_taken",
    "patient_busy",
    "doctor_unavailable",
    "outside_hours",
    "off_grid",
    "in_the_past",
    "too_far_ahead",
)
"""The error codes of a command that takes a slot."""
BOOK_PROBLEMS: tuple[Code, ...] = (
    "forbidden",
    "not_found",
    *START_PROBLEMS,
    "too_many_appointments",
    "patient_erased",
    "idempotency_key_reused",
)


def _parse(text: object) -> datetime:
    """Return the time in the text. It is naive if the text has no zone; the next validator refuses that."""
    if isinstance(text, str) and _RFC3339.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # for example a month 13
    raise PydanticCustomError("datetime_format", "Input should be a time like 2026-11-23T09:30:00Z")


Moment = Annotated[Instant, BeforeValidator(_parse, json_schema_input_type=datetime)]
"""An instant as clients write it: RFC 3339 with its zone, in the years 1000 to 2999."""


class BookRequest(Value):
    """The slot to book. A doctor and a receptionist say for which patient; a patient books for themselves.

    White space around the `reason` is removed.
    """

    doctor_id: Id
    start: Moment
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = None
    patient_id: Id | None = None


class CancelRequest(OptionalBody):
    """Why the appointment is cancelled. It is in the history, which patient, doctor and receptionists may read."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = None


class RescheduleRequest(Value):
    """The new start of an appointment."""

    start: Moment


class AppointmentCommands:
    """Turns the requests of signed-in people into commands, and the answers of actors into appointments.

    A `key` makes a command idempotent, see `api.commands.command_client`.
    """

    def __init__(self, records: Records, client: CommandClient, known: Callable[[str], Listed | None]) -> None:
        """`known` returns an appointment by its id if it is in memory. Its status and start may be outdated."""
        self._records = records
        self._client = client
        self._known = known
        self._doctors: set[str] = set()  # known to exist; an account is never removed, so an entry never becomes wrong

    async def book(self, who: Identity, request: BookRequest, via: Via, key: str | None) -> Done[AppointmentView]:
        """Book an appointment and return it, once it is stored. Raises `Problem`."""
        patient_id = await chosen_patient(self._records, who, request.doctor_id, request.patient_id)
        await self._require_doctor(request.doctor_id)
        header = self._client.header(who, request.doctor_id, via, key)
        command = BookAppointment(**header, patient_id=patient_id, start=request.start, reason=request.reason)
        if request.patient_id not in {None, patient_id}:
            # Perhaps it was joined after the first request with this key: then the same request is answered as it was
            # then. It is not tried with the account first: a worker answers each copy of a refused command alike.
            first = await stored(self._records.appointments.by_command(command.id))
            booked = first.history[0] if isinstance(first, Appointment) else None
            if isinstance(booked, AppointmentBooked) and booked.patient_id == request.patient_id:
                command = command.model_copy(update={"patient_id": request.patient_id})
        return await self._send(command)

    async def change(  # noqa: PLR0913  # each is a separate part of the command
        self,
        who: Identity,
        kind: ChangeKind,
        appointment_id: str,
        via: Via,
        key: str | None,
        *,
        start: datetime | None = None,
        reason: str | None = None,
    ) -> Done[AppointmentView]:
        """Change an appointment that the caller may see, and return it as it is right after the change.

        `start` is for `reschedule` only, `reason` for `cancel` only.
        Raises `Problem`. An appointment of other people is `not_found`, like one that does not exist.
        """
        # The doctor, whose actor decides, comes from the record, never from the client. An appointment keeps its
        # doctor, so an outdated one does as well. Its patient may be another one since two accounts were joined.
        appointment = self._known(appointment_id)
        if appointment is None or (who.role is Role.PATIENT and appointment.patient_id != who.user_id):
            appointment = await stored(visible_appointment(self._records.appointments, who, appointment_id))
        doctor_id = require_visible(who, appointment).doctor_id
        header = self._client.header(who, doctor_id, via, key)
        return await self._send(_change(header, appointment_id, kind, start, reason))

    async def _require_doctor(self, doctor_id: str) -> None:
        if doctor_id in self._doctors:
            return
        doctor = await stored(self._records.users.by_id(doctor_id))
        if doctor is None or doctor.role != "doctor":
            raise Problem("not_found", "There is no such doctor.")
        self._doctors.add(doctor_id)

    async def _send(self, command: BookAppointment | Change) -> Done[AppointmentView]:
        done = await self._client.send(command)
        if not isinstance(done.value, AppointmentView):
            raise TypeError(f"an actor answered {command.kind} with a schedule")
        return Done(done.value, done.replayed, done.position)


_WITHOUT_MORE: Mapping[str, Callable[..., Change]] = {
    "confirm": ConfirmAppointment,
    "complete": CompleteAppointment,
    "check_in": CheckInPatient,
    "call_in": CallInPatient,
    "undo_visit": UndoVisit,
    "accept": AcceptOffer,
    "decline": DeclineOffer,
}
"""The commands that say nothing more than which appointment."""


def _change(
    header: Header, appointment_id: str, kind: ChangeKind, start: datetime | None, reason: str | None
) -> Change:
    match kind:
        case "cancel":
            return CancelAppointment(**header, appointment_id=appointment_id, reason=reason)
        case "reschedule":
            if start is None:
                raise _invalid("/start", "Say when the appointment starts.", "missing")
            return RescheduleAppointment(**header, appointment_id=appointment_id, start=start)
        case _:
            return _WITHOUT_MORE[kind](**header, appointment_id=appointment_id)


def _invalid(field: str, detail: str, code: str) -> Problem:
    return Problem("invalid_request", detail, errors=[FieldError(field, detail, code)])
