"""What became of the texts about a doctor's appointments: how far they came, but no words and no numbers."""

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
    """A text about an appointment: `to` whom, how far it has come, and why it did not arrive if that is known.

    `planned_at` is when it was asked for, `at` when it came to its status. A text that is `sent` may have arrived: not
    every carrier says so.
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
    """The texts about an appointment in the order in which they were asked for, and whether its patient gets any.

    `patient_opted_out`: the patient's phone has sent STOP, or another word that carriers take for it, such as CANCEL
    alone. It may have been meant for the appointment: ask them.
    """

    patient_opted_out: bool
    texts: list[TextView]


@routes.endpoint("GET", "/appointments/{id}/texts", access=Access.DOCTOR)
async def show_texts(services: Services, who: Identity, path: ById) -> AppointmentTexts:
    """Show what became of the texts about one of the doctor's own appointments."""
    records = services.records
    appointment = await visible_appointment(records.appointments, who, path.id)
    texts = await records.texts.of_appointment(appointment.id)
    patient = await records.users.by_id(appointment.patient_id)
    return AppointmentTexts(
        patient_opted_out=await _has_opted_out(services, patient), texts=[_shown(text) for text in texts]
    )


@routes.endpoint("GET", "/texts/undelivered", access=Access.DOCTOR)
async def list_undelivered(services: Services, who: Identity) -> list[TextView]:
    """List the texts of the last two weeks that reached nobody, of the doctor's appointments to come: whom to call.

    By start, the next appointment first.
    """
    now = services.clock()
    texts = await services.records.texts.not_delivered(who.user_id, now - _PLANNED_WITHIN)
    coming = [text for text in texts if text.start > now]
    found = await services.records.appointments.by_ids({text.appointment_id for text in coming})
    telling = [text for text in coming if _tells(text, found.get(text.appointment_id))]
    last = [text for text in telling if await services.records.texts.by_id(repetition_id(text.id)) is None]
    return [_shown(text) for text in sorted(last, key=lambda text: (text.start, text.created_at))]


def _tells(text: Text, appointment: Appointment | None) -> bool:
    """Whether a text says how its appointment stands: one about a time that no longer holds is nobody's worry."""
    if appointment is None or appointment.start != text.start:
        return False
    return appointment.active or text.kind == "cancelled"


async def _has_opted_out(services: Services, patient: Account | None) -> bool:
    line = services.settings.twilio_from_patient
    if patient is None or patient.phone is None or line is None:
        return False
    return await services.records.opt_outs.has(patient.phone, line)


def _shown(text: Text) -> TextView:
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
