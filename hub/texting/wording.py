"""What the texts say, in one segment each. Nothing here names the doctor, the specialty, the patient or the reason.

Nobody is ever asked to answer with a word that carriers take as an opt-out (STOP, CANCEL, END, …) or opt-in (YES):
patients answer with digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hub.scheduling.schedule import ZoneName, zone

Language = Literal["en", "de"]
"""What texts are written in; people choose. Who has not chosen, or is unknown, is written to in English."""

_NOON: Final = 12

_Sentence = Literal[
    "questions",
    "booked",
    "reminder",
    "or_call",
    "rescheduled",
    "cancelled_by_clinic",
    "doctor_booked",
    "doctor_rescheduled",
    "doctor_cancelled",
    "confirmed",
    "cancelled_by_patient",
    "too_late_to_change",
    "no_open_reminder",
    "how_to_reply",
    "unmonitored_number",
    "try_later",
]
_SENTENCES: Final[Mapping[Language, Mapping[_Sentence, str]]] = {
    "en": {
        "questions": " Questions? Call {phone}",
        "booked": "{clinic}: your appointment is booked for {when}.{questions}",
        "reminder": "{clinic} reminder: appointment {when}. Reply 1 to confirm or 2 to cancel.{or_call}",
        "or_call": " Or call {phone}",
        "rescheduled": "{clinic}: your appointment is now on {when}.{questions}",
        "cancelled_by_clinic": "{clinic}: your appointment on {when} will not take place.{questions}",
        "doctor_booked": "{clinic}: new appointment with you {when}.",
        "doctor_rescheduled": "{clinic}: the appointment with you {before} is now {when}.",
        "doctor_cancelled": "{clinic}: the appointment with you {when} was cancelled.",
        "confirmed": "{clinic}: thank you. Your appointment {when} is confirmed.",
        "cancelled_by_patient": "{clinic}: your appointment {when} is cancelled.{questions}",
        "too_late_to_change": "{clinic}: your appointment {when} cannot be changed by text now.{questions}",
        "no_open_reminder": "{clinic}: there is no reminder to answer now.{questions}",
        "how_to_reply": "{clinic}: please reply to a reminder with 1 to confirm or 2 to cancel.{questions}",
        "unmonitored_number": "{clinic}: this number only takes answers to reminders.{questions}",
        "try_later": "{clinic}: we could not do this just now. Please reply again in a few minutes.{questions}",
    },
    "de": {
        "questions": " Fragen? Tel. {phone}",
        "booked": "{clinic}: Ihr Termin am {when} ist gebucht.{questions}",
        "reminder": "{clinic}, Erinnerung: Termin {when}. Antwort 1: ich komme, 2: Absage.{or_call}",
        "or_call": " Oder Tel. {phone}",
        "rescheduled": "{clinic}: Ihr Termin ist jetzt am {when}.{questions}",
        "cancelled_by_clinic": "{clinic}: Ihr Termin am {when} findet nicht statt.{questions}",
        "doctor_booked": "{clinic}: neuer Termin bei Ihnen am {when}.",
        "doctor_rescheduled": "{clinic}: der Termin bei Ihnen am {before} ist jetzt am {when}.",
        "doctor_cancelled": "{clinic}: der Termin bei Ihnen am {when} wurde abgesagt.",
        "confirmed": "{clinic}: danke. Ihr Termin am {when} ist bestätigt.",
        "cancelled_by_patient": "{clinic}: Ihr Termin am {when} ist abgesagt.{questions}",
        "too_late_to_change": "{clinic}: Ihr Termin am {when} ist jetzt nicht mehr per SMS zu ändern.{questions}",
        "no_open_reminder": "{clinic}: zurzeit ist keine Erinnerung zu beantworten.{questions}",
        "how_to_reply": "{clinic}: bitte antworten Sie auf eine Erinnerung 1 (ich komme) oder 2 (Absage).{questions}",
        "unmonitored_number": "{clinic}: diese Nummer nimmt nur Antworten auf Erinnerungen an.{questions}",
        "try_later": "{clinic}: das ging gerade nicht. Bitte antworten Sie in ein paar Minuten noch einmal.{questions}",
    },
}
_DAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Clinic:
    """Who the texts are from: a name of at most 40 GSM-7 units, and a number to call with questions, if any."""

    name: str
    phone: str | None


def booked(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the appointment is made."""
    return _said(clinic, language, "booked", when=when)


def reminder(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Remind a patient, and ask whether they come."""
    return _said(clinic, language, "reminder", when=when)


def rescheduled(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the appointment has moved to `when`."""
    return _said(clinic, language, "rescheduled", when=when)


def cancelled_by_clinic(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the clinic has cancelled the appointment."""
    return _said(clinic, language, "cancelled_by_clinic", when=when)


def doctor_booked(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a doctor of a new appointment."""
    return _said(clinic, language, "doctor_booked", when=when)


def doctor_rescheduled(clinic: Clinic, before: str, when: str, language: Language = "en") -> str:
    """Tell a doctor that an appointment has moved from `before` to `when`."""
    return _said(clinic, language, "doctor_rescheduled", before=before, when=when)


def doctor_cancelled(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a doctor that a patient does not come."""
    return _said(clinic, language, "doctor_cancelled", when=when)


def confirmed(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Answer a patient whose appointment is confirmed, just now or before."""
    return _said(clinic, language, "confirmed", when=when)


def cancelled_by_patient(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Answer a patient whose appointment is cancelled, just now or before."""
    return _said(clinic, language, "cancelled_by_patient", when=when)


def too_late_to_change(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Answer a patient whose appointment has begun or is over."""
    return _said(clinic, language, "too_late_to_change", when=when)


def no_open_reminder(clinic: Clinic, language: Language = "en") -> str:
    """Answer a patient who says 1 or 2 without having been asked."""
    return _said(clinic, language, "no_open_reminder")


def how_to_reply(clinic: Clinic, language: Language = "en") -> str:
    """Answer a patient whose words nobody here understands."""
    return _said(clinic, language, "how_to_reply")


def unmonitored_number(clinic: Clinic, language: Language = "en") -> str:
    """Answer a number of which we say nothing, not even whether we know it."""
    return _said(clinic, language, "unmonitored_number")


def try_later(clinic: Clinic, language: Language = "en") -> str:
    """Answer somebody whose wish could not be carried out; it may still be, so they are asked to say it again."""
    return _said(clinic, language, "try_later")


def local_time(instant: datetime, zone_name: ZoneName, language: Language = "en") -> str:
    """Return an instant by a zone's clock: "Tue 24 Nov, 3:15 PM" or "Di 24.11., 15:15 Uhr".

    In the hour that an autumn clock change repeats it says which of the two it is: "Sun 1 Nov, 1:30 AM EST".
    """
    local = instant.astimezone(zone(zone_name))
    day = _DAYS[language][local.weekday()]
    match language:
        case "en":
            half = "AM" if local.hour < _NOON else "PM"
            text = f"{day} {local.day} {_MONTHS[local.month - 1]}, {local.hour % _NOON or _NOON}:{local:%M} {half}"
        case "de":
            text = f"{day} {local.day}.{local.month}., {local.hour}:{local:%M} Uhr"
    return f"{text} {local.tzname()}" if _comes_twice(local) else text


def _said(clinic: Clinic, language: Language, sentence: _Sentence, **times: str) -> str:
    says = _SENTENCES[language]
    call = {each: says[each].format(phone=clinic.phone) if clinic.phone else "" for each in ("questions", "or_call")}
    return says[sentence].format(clinic=clinic.name, **call, **times)


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
