"""The wording of texts. None names a doctor, a specialty or a reason.

Only a reply to a phone that several patients share names one of them, by the first name.

Each fits in one segment if GSM-7 has all characters of the clinic's name.

No text asks for a reply with a word that carriers treat as an opt-out (STOP, CANCEL, END, …) or opt-in (YES). Patients
reply with digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from hub.scheduling.schedule import ZoneName, zone
from hub.texting.segments import segments

Language = Literal["en", "de"]
"""The language of a person's texts. English is used for people who have not chosen one and for unknown numbers."""

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
    "confirmed_and_next",
    "cancelled_and_next",
    "too_late_and_next",
    "offer",
    "offer_declined",
    "offer_over",
    "offer_over_and_next",
    "no_open_appointment",
    "how_to_reply",
    "unmonitored_number",
    "try_later",
    "phone_code",
    "password_code",
    "phone_changed",
    "email_changed",
    "password_reset",
    "sign_up_code",
    "account_exists",
    "email_of_account",
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
        "confirmed_and_next": "{clinic}: your appointment {when} is confirmed. Your next reply is about {following}.",
        "cancelled_and_next": "{clinic}: your appointment {when} is cancelled. Your next reply is about {following}.",
        "too_late_and_next": "{clinic}: it is too late to change {when} by text. Your next reply is about {following}.",
        "offer": "{clinic}: {when} is free. Reply 1 to take it, 2 to pass, by {until}.{or_call}",
        "offer_declined": "{clinic}: you passed on {when}. You still wait in line.{questions}",
        "offer_over": "{clinic}: the offer for {when} is over. You still wait in line.{questions}",
        "offer_over_and_next": "{clinic}: the offer for {when} is over. Your next reply is about {following}.",
        "no_open_appointment": "{clinic}: there is no appointment that you can change by text now.{questions}",
        "how_to_reply": "{clinic}: please reply to a reminder with 1 to confirm or 2 to cancel.{questions}",
        "unmonitored_number": "{clinic}: this number only takes answers to reminders.{questions}",
        "try_later": "{clinic}: we could not do this just now. Please reply again in a few minutes.{questions}",
        "phone_code": "{clinic}: {code} is the code for your phone number. It is good for 10 minutes.",
        "password_code": "{clinic}: {code} is the code for a new password. Not asked for? Then ignore this.",
        "phone_changed": "{clinic}: the phone number of your account was changed. Was it not you?{questions}",
        "email_changed": "{clinic}: the e-mail address of your account was changed. Was it not you?{questions}",
        "password_reset": "{clinic}: your account has a new password. Was it not you?{questions}",
        "sign_up_code": "{clinic}: {code} is the code for your new account. Tell it to nobody. Good for 10 minutes.",
        "account_exists": (
            "{clinic}: this phone has an account already. Log in, or ask there for a new password.{questions}"
        ),
        "email_of_account": (
            "{clinic}: somebody tried to sign up with your e-mail address. Was it you? Then log in.{questions}"
        ),
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
        "confirmed_and_next": (
            "{clinic}: Ihr Termin am {when} ist bestätigt. Ihre nächste Antwort gilt für {following}."
        ),
        "cancelled_and_next": (
            "{clinic}: Ihr Termin am {when} ist abgesagt. Ihre nächste Antwort gilt für {following}."
        ),
        "too_late_and_next": ("{clinic}: {when} ist per SMS nicht mehr zu ändern. Nächste Antwort: {following}."),
        "offer": "{clinic}: {when} ist frei. Antwort 1: ja, 2: nein. Bis {until}.{or_call}",
        "offer_declined": "{clinic}: {when} nehmen Sie nicht. Ihr Platz auf der Warteliste bleibt.{questions}",
        "offer_over": "{clinic}: {when} ist vergeben. Ihr Platz auf der Warteliste bleibt.{questions}",
        "offer_over_and_next": "{clinic}: {when} ist nicht mehr frei. Ihre nächste Antwort gilt für {following}.",
        "no_open_appointment": "{clinic}: zurzeit ist kein Termin per SMS zu ändern.{questions}",
        "how_to_reply": "{clinic}: bitte antworten Sie auf eine Erinnerung 1 (ich komme) oder 2 (Absage).{questions}",
        "unmonitored_number": "{clinic}: diese Nummer nimmt nur Antworten auf Erinnerungen an.{questions}",
        "try_later": "{clinic}: das ging gerade nicht. Bitte antworten Sie in ein paar Minuten noch einmal.{questions}",
        "phone_code": "{clinic}: {code} ist der Code für Ihre Telefonnummer. Er gilt 10 Minuten.",
        "password_code": "{clinic}: {code} ist der Code für ein neues Passwort. Nicht angefordert? Dann ignorieren.",
        "phone_changed": "{clinic}: Die Telefonnummer Ihres Kontos wurde geändert. Nicht von Ihnen?{questions}",
        "email_changed": "{clinic}: Die E-Mail-Adresse Ihres Kontos wurde geändert. Nicht von Ihnen?{questions}",
        "password_reset": "{clinic}: Ihr Konto hat ein neues Passwort. Nicht von Ihnen?{questions}",
        "sign_up_code": "{clinic}: {code} ist der Code für Ihr neues Konto. Verraten Sie ihn niemandem. Gilt 10 Min.",
        "account_exists": (
            "{clinic}: Dieses Telefon hat schon ein Konto. Anmelden oder dort neues Passwort anfordern.{questions}"
        ),
        "email_of_account": (
            "{clinic}: Jemand wollte sich mit Ihrer E-Mail-Adresse registrieren. Sie? Dann anmelden.{questions}"
        ),
    },
}
_DAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
LONGEST_TIME: Final = "Wed 30 Sep, 12:30 PM +13345"
"""An hour that comes twice, in a zone whose abbreviation has the six letters that it may have."""
LONGEST_CLOCK: Final = "12:30 PM +13345"
"""A time of day in such an hour."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Clinic:
    """The clinic as texts present it: a name of at most 40 units and an optional phone number for questions."""

    name: str
    phone: str | None


def phone_code(clinic: Clinic, digits: str, language: Language = "en") -> str:
    """Tell somebody the code that proves the phone."""
    return _format(clinic, language, "phone_code", code=digits)


def password_code(clinic: Clinic, digits: str, language: Language = "en") -> str:
    """Tell somebody the code for a new password."""
    return _format(clinic, language, "password_code", code=digits)


def phone_changed(clinic: Clinic, language: Language = "en") -> str:
    """Tell the old phone of an account that the account has another one."""
    return _format(clinic, language, "phone_changed")


def email_changed(clinic: Clinic, language: Language = "en") -> str:
    """Tell somebody that the account has another e-mail address."""
    return _format(clinic, language, "email_changed")


def password_reset(clinic: Clinic, language: Language = "en") -> str:
    """Tell somebody that the account has a new password."""
    return _format(clinic, language, "password_reset")


def sign_up_code(clinic: Clinic, digits: str, language: Language = "en") -> str:
    """Tell somebody the code that confirms a sign-up."""
    return _format(clinic, language, "sign_up_code", code=digits)


def account_exists(clinic: Clinic, language: Language = "en") -> str:
    """Tell a phone with which somebody has signed up that it has an account already."""
    return _format(clinic, language, "account_exists")


def email_of_account(clinic: Clinic, language: Language = "en") -> str:
    """Tell somebody that a sign-up with another phone gave the e-mail address of the account."""
    return _format(clinic, language, "email_of_account")


def booked(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the appointment is booked."""
    return _format(clinic, language, "booked", when=when)


def reminder(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Remind a patient and ask for a confirmation."""
    return _format(clinic, language, "reminder", when=when)


def rescheduled(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the appointment has moved to `when`."""
    return _format(clinic, language, "rescheduled", when=when)


def cancelled_by_clinic(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a patient that the clinic has cancelled the appointment."""
    return _format(clinic, language, "cancelled_by_clinic", when=when)


def doctor_booked(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a doctor of a new appointment."""
    return _format(clinic, language, "doctor_booked", when=when)


def doctor_rescheduled(clinic: Clinic, before: str, when: str, language: Language = "en") -> str:
    """Tell a doctor that an appointment has moved from `before` to `when`."""
    return _format(clinic, language, "doctor_rescheduled", before=before, when=when)


def doctor_cancelled(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Tell a doctor that an appointment was cancelled."""
    return _format(clinic, language, "doctor_cancelled", when=when)


def confirmed(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Reply to a patient whose appointment is confirmed, by this text or before."""
    return _format(clinic, language, "confirmed", when=when)


def cancelled_by_patient(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Reply to a patient whose appointment is cancelled, by this text or before."""
    return _format(clinic, language, "cancelled_by_patient", when=when)


def too_late_to_change(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Reply to a patient whose appointment has begun or is over."""
    return _format(clinic, language, "too_late_to_change", when=when)


def confirmed_and_next(clinic: Clinic, when: str, following: str, language: Language = "en") -> str:
    """Reply as `confirmed` does; the patient's next reply is about the appointment at `following`."""
    return _format(clinic, language, "confirmed_and_next", when=when, following=following)


def cancelled_and_next(clinic: Clinic, when: str, following: str, language: Language = "en") -> str:
    """Reply as `cancelled_by_patient` does; the patient's next reply is about the appointment at `following`."""
    return _format(clinic, language, "cancelled_and_next", when=when, following=following)


def too_late_and_next(clinic: Clinic, when: str, following: str, language: Language = "en") -> str:
    """Reply as `too_late_to_change` does; the patient's next reply is about the appointment at `following`."""
    return _format(clinic, language, "too_late_and_next", when=when, following=following)


def offer(clinic: Clinic, when: str, until: str, language: Language = "en") -> str:
    """Offer a patient who waits a free time; `until` is the time of day until which the offer stands."""
    return _format(clinic, language, "offer", when=when, until=until)


def offer_declined(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Reply to a patient who has passed."""
    return _format(clinic, language, "offer_declined", when=when)


def offer_over(clinic: Clinic, when: str, language: Language = "en") -> str:
    """Reply to a patient who answers an offer after its end."""
    return _format(clinic, language, "offer_over", when=when)


def offer_over_and_next(clinic: Clinic, when: str, following: str, language: Language = "en") -> str:
    """Reply that an offer is over; the patient's next reply is about the appointment at `following`."""
    return _format(clinic, language, "offer_over_and_next", when=when, following=following)


def no_open_appointment(clinic: Clinic, language: Language = "en") -> str:
    """Reply to a patient who sent 1 or 2 without an appointment to reply about."""
    return _format(clinic, language, "no_open_appointment")


def how_to_reply(clinic: Clinic, language: Language = "en") -> str:
    """Reply to a patient whose text the hub does not understand."""
    return _format(clinic, language, "how_to_reply")


def unmonitored_number(clinic: Clinic, language: Language = "en") -> str:
    """Reply to a number that belongs to no patient. The reply does not tell whether the number is known."""
    return _format(clinic, language, "unmonitored_number")


def try_later(clinic: Clinic, language: Language = "en") -> str:
    """Reply to a sender whose request timed out: ask them to send it again. The hub may still carry it out."""
    return _format(clinic, language, "try_later")


def most_segments(clinic: Clinic) -> int:
    """Return how many segments the longest text of this clinic takes."""
    sentences: Sequence[_Sentence] = get_args(_Sentence)
    values = {
        **dict.fromkeys(("when", "before", "following"), LONGEST_TIME),
        "until": LONGEST_CLOCK,
        "phone": clinic.phone or "",
        "code": "123456",
    }
    return max(
        segments(_format(clinic, language, sentence, **values)) for language in _SENTENCES for sentence in sentences
    )


def local_time(instant: datetime, zone_name: ZoneName, language: Language = "en") -> str:
    """Format an instant in a zone's local time: "Tue 24 Nov, 3:15 PM" or "Di 24.11., 15:15 Uhr".

    In the hour that an autumn clock change repeats, the zone's abbreviation follows: "Sun 1 Nov, 1:30 AM EST".
    """
    local = instant.astimezone(zone(zone_name))
    day, clock = _DAYS[language][local.weekday()], local_clock(instant, zone_name, language)
    match language:
        case "en":
            return f"{day} {local.day} {_MONTHS[local.month - 1]}, {clock}"
        case "de":
            return f"{day} {local.day}.{local.month}., {clock}"


def local_clock(instant: datetime, zone_name: ZoneName, language: Language = "en") -> str:
    """Format the time of day of an instant in a zone: "3:15 PM" or "15:15 Uhr"."""
    local = instant.astimezone(zone(zone_name))
    match language:
        case "en":
            text = f"{local.hour % _NOON or _NOON}:{local:%M} {'AM' if local.hour < _NOON else 'PM'}"
        case "de":
            text = f"{local.hour}:{local:%M} Uhr"
    return f"{text} {local.tzname()}" if _is_ambiguous(local) else text


def _format(clinic: Clinic, language: Language, sentence: _Sentence, **times: str) -> str:
    sentences = _SENTENCES[language]
    call = {
        name: sentences[name].format(phone=clinic.phone) if clinic.phone else "" for name in ("questions", "or_call")
    }
    return sentences[sentence].format(clinic=clinic.name, **call, **times)


def _is_ambiguous(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
