"""The delivery status of the texts about a doctor's appointments, without their wording and phone numbers."""

from datetime import timedelta

from api.http.endpoints import ById, Routes
from api.http.identity import Access
from api.services import Services
from api.visibility import visible_appointment
from hub.accounts.account import Account
from hub.accounts.identity import Identity
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Id, Instant, Value
from hub.texting.failure_reasons import failure_reason
from hub.texting.text import Line, Text, TextKind, TextStatus, repetition_id

routes = Routes("/api/v1")

_PLANNED_WITHIN = timedelta(days=14)


class TextView(Value):
    """A text about an appointment: `to` whom, its `status`, and the `problem` if it did not arrive and that is known.

    `planned_at` is when it was planned, `at` when it reached its status. A text that is `sent` may have arrived: not
    every carrier reports the delivery.
    """

    appointment_id: Id
    start: Instant
    kind: TextKind
    to: Line
    status: TextStatus
    problem: str | None
    planned_at: Instant
    at: Instant


class AppointmentTexts(Value):
    """The texts about an appointment in the order in which they were planned, and whether the patient opted out.

    `patient_opted_out`: the patient's phone has sent STOP, or another word that carriers treat as STOP, such as CANCEL
    alone. The patient may have meant the appointment, so ask them.
    """

    patient_opted_out: bool
    texts: list[TextView]


@routes.endpoint("GET", "/appointments/{id}/texts", access=Access.DOCTOR)
async def show_texts(services: Services, who: Identity, path: ById) -> AppointmentTexts:
    """Show the texts about one of the doctor's own appointments, with their delivery status."""
    records = services.records
    appointment = await visible_appointment(records.appointments, who, path.id)
    services.access_log.looked("texts_shown", who, [appointment.patient_id])
    texts = await records.texts.of_appointment(appointment.id)
    patient = await records.users.by_id(appointment.patient_id)
    return AppointmentTexts(
        patient_opted_out=await _has_opted_out(services, patient), texts=[_text_view(text) for text in texts]
    )


@routes.endpoint("GET", "/texts/undelivered", access=Access.DOCTOR)
async def list_undelivered(services: Services, who: Identity) -> list[TextView]:
    """List the undelivered texts of the last two weeks about the doctor's future appointments: whom to call.

    By start, the next appointment first.
    """
    now = services.clock()
    texts = await services.records.texts.not_delivered(who.user_id, now - _PLANNED_WITHIN)
    upcoming = [text for text in texts if text.start > now]
    found = await services.records.appointments.by_ids(
        {text.appointment_id for text in upcoming if text.appointment_id}
    )
    valid = [
        (text, appointment)
        for text in upcoming
        if (appointment := found.get(text.appointment_id or "")) and _is_valid(text, appointment)
    ]
    services.access_log.looked_at_any("texts_shown", who, (appointment.patient_id for _, appointment in valid))
    last = [text for text, _ in valid if await services.records.texts.by_id(repetition_id(text.id)) is None]
    return [_text_view(text) for text in sorted(last, key=lambda text: (text.start, text.created_at))]


def _is_valid(text: Text, appointment: Appointment | None) -> bool:
    """Return whether the text is still true: the appointment has not been moved, or was cancelled as the text says."""
    if appointment is None or appointment.start != text.start:
        return False
    return appointment.holds_slot or text.kind == "cancelled"


async def _has_opted_out(services: Services, patient: Account | None) -> bool:
    line = services.settings.twilio_from_patient
    if patient is None or patient.phone is None or line is None:
        return False
    return await services.records.opt_outs.has(patient.phone, line)


def _text_view(text: Text) -> TextView:
    if text.appointment_id is None or text.kind == "code" or text.kind == "account_changed":  # noqa: PLR1714  # mypy understands this
        raise TypeError("a text about an account is nobody else's")
    return TextView(
        appointment_id=text.appointment_id,
        start=text.start,
        kind=text.kind,
        to=text.line,
        status=text.status,
        problem=failure_reason(text),
        planned_at=text.created_at,
        at=text.updated_at,
    )
