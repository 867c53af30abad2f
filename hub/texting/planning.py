"""Decides which texts an event causes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hub.scheduling.appointment import Appointment
from hub.scheduling.decide import REMINDER_USEFUL
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentRescheduled,
    OfferAccepted,
    PatientReminded,
    SlotOffered,
)
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Role
from hub.texting import wording
from hub.texting.text import Line, OptionalKind, SkipReason, Text, TextKind, TextStatus, text_id
from hub.texting.wording import Clinic, Language, local_clock, local_time

AppointmentEvent = RecordedEvent[Appointment]

_DOCTOR_NOTICE_DAYS = 1
"""A doctor gets a text about a change only if the appointment is at most this many days ahead in the doctor's zone."""
MAX_EVENT_AGE = timedelta(days=1)
"""Older events cause no texts. Planning normally follows within a second. Only a hub that starts to send texts, or lost
its outbox, finds older events, and a text about something weeks old would only annoy."""


class Recipient(Protocol):
    """A person who may get texts. `Account` implements it."""

    @property
    def id(self) -> str:
        """The person's id."""

    @property
    def phone(self) -> str | None:
        """E.164, or None: then no text can be sent."""

    @property
    def language(self) -> Language:
        """The language of the person's texts."""

    @property
    def texts(self) -> Sequence[OptionalKind]:
        """The kinds of texts that the person has not switched off."""

    @property
    def phone_verified(self) -> bool:
        """Whether the person has proven the phone, or the clinic has entered it."""


def plan_texts(  # noqa: PLR0913, PLR0917  # everything that the text depends on
    clinic: Clinic,
    doctor: Recipient,
    schedule: Schedule,
    patient: Recipient,
    recorded: AppointmentEvent,
    now: datetime,
    *,
    proven_only: bool = False,
) -> list[Text]:
    """Return the texts that an event causes, planned at `now`, the patient's first. `schedule` is the doctor's.

    Planning the same event again gives texts with the same ids. A text without a phone or past its use is returned with
    the status `skipped`, so the record shows why it was not sent. There is no text for a kind that the recipient has
    switched off, for an event older than `MAX_EVENT_AGE`, or for an event that the seed made up.
    With `proven_only`, none is sent to a phone that its owner has not proven.
    """
    if recorded.event.by.via == "seed" or now - recorded.event.at > MAX_EVENT_AGE:
        return []
    drafts = [_for_patient(clinic, patient.language, schedule, recorded)]
    if recorded.event.by.id != doctor.id:
        drafts.append(_for_doctor(clinic, doctor.language, schedule, recorded))
    people: dict[Line, Recipient] = {"patient": patient, "doctor": doctor}
    wanted = [
        draft
        for draft in drafts
        # Who waits has asked for offers.
        if draft is not None and (draft.kind == "offer" or draft.kind in people[draft.line].texts)
    ]
    return [_text(draft, people[draft.line], recorded, now, proven_only=proven_only) for draft in wanted]


@dataclass(frozen=True)
class _Draft:
    line: Line
    kind: TextKind
    body: str
    useless_after: datetime


def _for_patient(clinic: Clinic, language: Language, schedule: Schedule, recorded: AppointmentEvent) -> _Draft | None:
    start = recorded.aggregate.start
    when = local_time(start, schedule.zone, language)
    match recorded.event:
        case OfferAccepted(by=by) if by.via == "sms":
            return None  # the reply says it
        case SlotOffered(without_text=True):
            return None  # the patient was connected, at an hour at which nobody is texted
        case AppointmentBooked() | OfferAccepted():
            return _Draft("patient", "booked", wording.booked(clinic, when, language), start)
        case SlotOffered(until=until):
            ends = local_clock(until, schedule.zone, language)
            return _Draft("patient", "offer", wording.offer(clinic, when, ends, language), until)
        case PatientReminded():
            return _Draft("patient", "reminder", wording.reminder(clinic, when, language), start - REMINDER_USEFUL)
        case AppointmentRescheduled():
            return _Draft("patient", "rescheduled", wording.rescheduled(clinic, when, language), start)
        case AppointmentCancelled(by=by) if by.role is not Role.PATIENT:  # else the patient already knows
            return _Draft("patient", "cancelled", wording.cancelled_by_clinic(clinic, when, language), start)
        case _:
            return None


def _for_doctor(clinic: Clinic, language: Language, schedule: Schedule, recorded: AppointmentEvent) -> _Draft | None:
    event, start = recorded.event, recorded.aggregate.start
    near, when = _is_near(schedule, event.at, start), local_time(start, schedule.zone, language)
    match event:
        case AppointmentBooked() | OfferAccepted() if near:
            return _Draft("doctor", "booked", wording.doctor_booked(clinic, when, language), start)
        case AppointmentCancelled() if near:
            return _Draft("doctor", "cancelled", wording.doctor_cancelled(clinic, when, language), start)
        case AppointmentRescheduled(previous_start=previous) if near or _is_near(schedule, event.at, previous):
            body = wording.doctor_rescheduled(clinic, local_time(previous, schedule.zone, language), when, language)
            # If the appointment moved away, the text is useful until its previous start: the doctor need not wait then.
            return _Draft("doctor", "rescheduled", body, start if near else previous)
        case _:
            return None


def _is_near(schedule: Schedule, at: datetime, start: datetime) -> bool:
    """Return whether an appointment was today or tomorrow in the doctor's zone at the instant of the event.

    The time of planning must not matter: an event causes the same texts whenever it is planned.
    """
    return (schedule.day_of(start) - schedule.day_of(at)).days <= _DOCTOR_NOTICE_DAYS


def _text(draft: _Draft, to: Recipient, recorded: AppointmentEvent, now: datetime, *, proven_only: bool) -> Text:
    appointment, event = recorded.aggregate, recorded.event
    reason: SkipReason | None = None
    if to.phone is None:
        reason = "no_phone"
    elif proven_only and not to.phone_verified:
        reason = "not_proven"
    elif now >= draft.useless_after:
        reason = "too_late"
    return Text(
        id=text_id(appointment.doctor_id, event.seq, to.id),
        kind=draft.kind,
        line=draft.line,
        user_id=to.id,
        phone=to.phone,
        appointment_id=appointment.id,
        doctor_id=appointment.doctor_id,
        seq=event.seq,
        version=appointment.version,
        start=appointment.start,
        body=draft.body,
        status=TextStatus.SKIPPED if reason else TextStatus.PLANNED,
        reason=reason,
        not_before=now,
        useless_after=draft.useless_after,
        created_at=now,
        updated_at=now,
    )
