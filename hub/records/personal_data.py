"""Everything that the record has of a person, in one value that the person can read."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hub.accounts.account import Account
from hub.records.appointment_documents import LONG_AGO
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentBooked, AppointmentCancelled, AppointmentRescheduled, Event
from hub.scheduling.schedule import ZoneName
from hub.scheduling.values import AccountRole, Id, Instant, Role, Status, Value
from hub.texting.text import AccountTextKind, Text, TextKind, TextStatus
from hub.texting.wording import Language


class ExportedProfile(Value):
    """The account. `texts` are the kinds of texts that the person wants. `has_photo`: there is a picture."""

    id: Id
    role: AccountRole
    name: str
    email: str | None
    phone: str | None
    created_at: Instant
    specialty: str | None
    zone: ZoneName | None
    language: Language
    texts: tuple[TextKind, ...]
    has_photo: Annotated[bool, Field(description="Whether there is a picture: `GET /api/v1/users/{id}/photo`.")]
    has_calendar_link: Annotated[bool, Field(description="Whether there is a private link of the calendar.")]


class ExportedEvent(Value):
    """Something that happened to an appointment: what, when, and whether the patient, staff or the hub did it."""

    type: Annotated[str, Field(description="What happened.")]
    at: Instant
    by: Annotated[Role, Field(description="The role of who did it.")]
    start: Instant | None
    reason: Annotated[str | None, Field(description="What was said about it, null if nothing.")]


class ExportedAppointment(Value):
    """An appointment of the person with its history."""

    id: Id
    doctor_id: Id
    doctor: Annotated[str | None, Field(description="The doctor's name.")]
    start: Instant
    end: Instant
    status: Status
    reason: Annotated[str | None, Field(description="What was said at the booking, null if nothing.")]
    history: Annotated[tuple[ExportedEvent, ...], Field(description="What happened, in order.")]


class ExportedText(Value):
    """A text to the person (`sent`), or from the person about an appointment (`received`)."""

    direction: Annotated[Literal["sent", "received"], Field(description="Whether the clinic sent it or received it.")]
    appointment_id: Annotated[Id | None, Field(description="The appointment, null for a text about the account.")]
    kind: Annotated[
        TextKind | AccountTextKind | None, Field(description="What the text is about, null for a received one.")
    ]
    phone: str | None
    body: Annotated[str, Field(description="The words.")]
    status: Annotated[TextStatus | None, Field(description="How far a sent text has come, null for a received one.")]
    at: Instant


class PersonalData(Value):
    """All that the hub has stored of a person. Only patients have appointments and texts of their own."""

    profile: Annotated[ExportedProfile, Field(description="The account.")]
    appointments: Annotated[tuple[ExportedAppointment, ...], Field(description="The appointments by start.")]
    texts: Annotated[tuple[ExportedText, ...], Field(description="The texts by time.")]


async def appointments_of(records: Records, account: Account) -> list[Appointment]:
    """Return the appointments of a patient, none for staff, by start. Raises `StoreUnavailable`."""
    if account.role != "patient":
        return []
    return await every_appointment(records.appointments, AppointmentFilter(patient_id=account.id))


async def personal_data(records: Records, account: Account) -> PersonalData:
    """Return all that the record has of a person. Raises `StoreUnavailable`."""
    appointments = await appointments_of(records, account)
    doctors = await records.users.by_ids({each.doctor_id for each in appointments})
    names = {id_: doctor.name for id_, doctor in doctors.items()}
    return PersonalData(
        profile=_profile(account),
        appointments=tuple(_appointment(each, names.get(each.doctor_id)) for each in appointments),
        texts=tuple(sorted(await _texts(records, account, {each.id for each in appointments}), key=lambda one: one.at)),
    )


async def _texts(records: Records, account: Account, appointment_ids: set[str]) -> list[ExportedText]:
    if account.role != "patient":
        return []
    sent = [_sent(text) for text in await records.texts.to_person(account.id, LONG_AGO)]
    phones = {account.phone, *(text.phone for text in sent)} - {None}
    return sent + [
        text for phone in sorted(filter(None, phones)) for text in await _from(records, phone, appointment_ids)
    ]


async def _from(records: Records, phone: str, appointment_ids: set[str]) -> list[ExportedText]:
    """Return what came from a phone about these appointments: others may use the same phone."""
    return [
        ExportedText(
            direction="received",
            appointment_id=message.about,
            kind=None,
            phone=message.phone,
            body=message.body,
            status=None,
            at=message.received_at,
        )
        for message in await records.inbound_texts.about_appointments(phone, LONG_AGO)
        if message.about in appointment_ids
    ]


def _sent(text: Text) -> ExportedText:
    return ExportedText(
        direction="sent",
        appointment_id=text.appointment_id,
        kind=text.kind,
        phone=text.phone,
        body=text.body,
        status=text.status,
        at=text.created_at,
    )


def _profile(account: Account) -> ExportedProfile:
    return ExportedProfile(
        id=account.id,
        role=account.role,
        name=account.name,
        email=account.email,
        phone=account.phone,
        created_at=account.created_at,
        specialty=account.specialty,
        zone=account.schedule.zone if account.schedule else account.zone,
        language=account.language,
        texts=account.texts,
        has_photo=account.photo is not None,
        has_calendar_link=account.calendar_key_hash is not None,
    )


def _appointment(appointment: Appointment, doctor: str | None) -> ExportedAppointment:
    return ExportedAppointment(
        id=appointment.id,
        doctor_id=appointment.doctor_id,
        doctor=doctor,
        start=appointment.start,
        end=appointment.end,
        status=appointment.status,
        reason=appointment.reason,
        history=tuple(
            ExportedEvent(type=each.type, at=each.at, by=each.by.role, start=_start(each), reason=_reason(each))
            for each in appointment.history
            # A missed reminder is for the clinic only, as on the sockets.
            if each.type != "reminder_missed"
        ),
    )


def _start(event: Event) -> datetime | None:
    return event.start if isinstance(event, AppointmentBooked | AppointmentRescheduled) else None


def _reason(event: Event) -> str | None:
    return event.reason if isinstance(event, AppointmentBooked | AppointmentCancelled) else None
