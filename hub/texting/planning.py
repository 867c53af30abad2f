"""Which texts an event asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hub.scheduling.decide import REMINDER_USEFUL
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    AppointmentRescheduled,
    PatientReminded,
    ReminderMissed,
)
from hub.scheduling.recorded_event import Happened
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import Role
from hub.texting import wording
from hub.texting.text import Line, SkipReason, Text, TextKind, TextStatus, text_id
from hub.texting.wording import Clinic, Language, local_time

_TODAY_AND_TOMORROW = 1
"""Days ahead, by the doctor's clock, whose changes a doctor is told of at once."""
MAX_EVENT_AGE = timedelta(days=1)
"""How long something that happened is news. Planning follows within a second; only a hub that begins to text, or whose
outbox was lost, finds events that are older, and nobody wants to hear of what they have known for weeks."""


class Recipient(Protocol):
    """A person who may get texts: an account has all of this."""

    @property
    def id(self) -> str:
        """The person's id."""

    @property
    def phone(self) -> str | None:
        """E.164; None: no text can be sent."""

    @property
    def language(self) -> Language:
        """The language of the person's texts."""

    @property
    def texts(self) -> Sequence[TextKind]:
        """The kinds of texts that the person wants."""


def plan_texts(  # noqa: PLR0913, PLR0917  # all that the words of a text follow from
    clinic: Clinic, doctor: Recipient, schedule: Schedule, patient: Recipient, happened: Happened, now: datetime
) -> list[Text]:
    """Return the texts that an event asks for, planned at `now`, the patient's first; `schedule` is the doctor's.

    Who asks again gets texts of the same ids. One that cannot be sent (no phone) or is of no use any more is skipped
    already, so the record says why nobody got it. What somebody does not want is not asked for, nor what is no news any
    more, nor what the seed made up, which happened to nobody.
    """
    if happened.event.by.via == "seed" or now - happened.event.at > MAX_EVENT_AGE:
        return []
    asked = [_for_patient(clinic, patient.language, schedule, happened)]
    if happened.event.by.id != doctor.id:
        asked.append(_for_doctor(clinic, doctor.language, schedule, happened))
    people: dict[Line, Recipient] = {"patient": patient, "doctor": doctor}
    wanted = [one for one in asked if one is not None and one.kind in people[one.line].texts]
    return [_text(one, people[one.line], happened, now) for one in wanted]


@dataclass(frozen=True)
class _Asked:
    line: Line
    kind: TextKind
    body: str
    useless_after: datetime


def _for_patient(clinic: Clinic, language: Language, schedule: Schedule, happened: Happened) -> _Asked | None:
    start = happened.appointment.start
    when = local_time(start, schedule.zone, language)
    match happened.event:
        case AppointmentBooked():
            return _Asked("patient", "booked", wording.booked(clinic, when, language), start)
        case PatientReminded():
            return _Asked("patient", "reminder", wording.reminder(clinic, when, language), start - REMINDER_USEFUL)
        case AppointmentRescheduled():
            return _Asked("patient", "rescheduled", wording.rescheduled(clinic, when, language), start)
        case AppointmentCancelled(by=by):
            if by.role is Role.PATIENT:
                return None  # they know
            return _Asked("patient", "cancelled", wording.cancelled_by_clinic(clinic, when, language), start)
        case AppointmentConfirmed() | AppointmentCompleted() | AppointmentMissed() | ReminderMissed():
            return None


def _for_doctor(clinic: Clinic, language: Language, schedule: Schedule, happened: Happened) -> _Asked | None:
    event, start = happened.event, happened.appointment.start
    near, when = _is_near(schedule, event.at, start), local_time(start, schedule.zone, language)
    match event:
        case AppointmentBooked() if near:
            return _Asked("doctor", "booked", wording.doctor_booked(clinic, when, language), start)
        case AppointmentCancelled() if near:
            return _Asked("doctor", "cancelled", wording.doctor_cancelled(clinic, when, language), start)
        case AppointmentRescheduled(previous_start=previous) if near or _is_near(schedule, event.at, previous):
            body = wording.doctor_rescheduled(clinic, local_time(previous, schedule.zone, language), when, language)
            # Moved away, it is of use until the doctor would have waited in vain.
            return _Asked("doctor", "rescheduled", body, start if near else previous)
        case _:
            return None


def _is_near(schedule: Schedule, at: datetime, start: datetime) -> bool:
    """Whether an appointment was today or tomorrow, by the doctor's clock, when something happened to it.

    Not when the text is planned: an event asks for the same texts whoever plans them, and whenever.
    """
    return (schedule.day_of(start) - schedule.day_of(at)).days <= _TODAY_AND_TOMORROW


def _text(asked: _Asked, to: Recipient, happened: Happened, now: datetime) -> Text:
    appointment, event = happened.appointment, happened.event
    reason: SkipReason | None = None
    if to.phone is None:
        reason = "no_phone"
    elif now >= asked.useless_after:
        reason = "too_late"
    return Text(
        id=text_id(appointment.doctor_id, event.seq, to.id),
        kind=asked.kind,
        line=asked.line,
        user_id=to.id,
        phone=to.phone,
        appointment_id=appointment.id,
        doctor_id=appointment.doctor_id,
        seq=event.seq,
        version=appointment.version,
        start=appointment.start,
        body=asked.body,
        status=TextStatus.SKIPPED if reason else TextStatus.PLANNED,
        reason=reason,
        not_before=now,
        useless_after=asked.useless_after,
        created_at=now,
        updated_at=now,
    )
