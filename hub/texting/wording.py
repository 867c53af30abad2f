"""What the texts say, in one segment each. Nothing here names the doctor, the specialty, the patient or the reason.

Nobody is ever asked to answer with a word that carriers take as an opt-out (STOP, CANCEL, END, …) or opt-in (YES):
patients answer with digits.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.hours import ZoneName, zone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOON = 12


@dataclass(frozen=True)
class Clinic:
    """Who the texts are from: a name of at most 40 GSM-7 units, and a number to call with questions, if any."""

    name: str
    phone: str | None


def booked(clinic: Clinic, when: str) -> str:
    """Tell a patient that the appointment is made."""
    return f"{clinic.name}: your appointment is booked for {when}.{_questions(clinic)}"


def reminder(clinic: Clinic, when: str) -> str:
    """Remind a patient, and ask whether they come."""
    call = f" Or call {clinic.phone}" if clinic.phone else ""
    return f"{clinic.name} reminder: appointment {when}. Reply 1 to confirm or 2 to cancel.{call}"


def rescheduled(clinic: Clinic, when: str) -> str:
    """Tell a patient that the appointment has moved to `when`."""
    return f"{clinic.name}: your appointment is now on {when}.{_questions(clinic)}"


def called_off(clinic: Clinic, when: str) -> str:
    """Tell a patient that the clinic has cancelled the appointment."""
    return f"{clinic.name}: your appointment on {when} will not take place.{_questions(clinic)}"


def booked_with_you(clinic: Clinic, when: str) -> str:
    """Tell a doctor of a new appointment."""
    return f"{clinic.name}: new appointment with you {when}."


def moved_with_you(clinic: Clinic, before: str, when: str) -> str:
    """Tell a doctor that an appointment has moved from `before` to `when`."""
    return f"{clinic.name}: the appointment with you {before} is now {when}."


def cancelled_with_you(clinic: Clinic, when: str) -> str:
    """Tell a doctor that a patient does not come."""
    return f"{clinic.name}: the appointment with you {when} was cancelled."


def will_come(clinic: Clinic, when: str) -> str:
    """Answer a patient whose appointment is confirmed, just now or before."""
    return f"{clinic.name}: thank you. Your appointment {when} is confirmed."


def will_not_come(clinic: Clinic, when: str) -> str:
    """Answer a patient whose appointment is cancelled, just now or before."""
    return f"{clinic.name}: your appointment {when} is cancelled.{_questions(clinic)}"


def not_by_text(clinic: Clinic, when: str) -> str:
    """Answer a patient whose appointment has begun or is over."""
    return f"{clinic.name}: your appointment {when} cannot be changed by text now.{_questions(clinic)}"


def nothing_to_answer(clinic: Clinic) -> str:
    """Answer a patient who says 1 or 2 without having been asked."""
    return f"{clinic.name}: there is no reminder to answer now.{_questions(clinic)}"


def how_to_answer(clinic: Clinic) -> str:
    """Answer a patient whose words nobody here understands."""
    return f"{clinic.name}: please reply to a reminder with 1 to confirm or 2 to cancel.{_questions(clinic)}"


def nobody_reads_this(clinic: Clinic) -> str:
    """Answer a number of which we say nothing, not even whether we know it."""
    return f"{clinic.name}: this number only takes answers to reminders.{_questions(clinic)}"


def not_now(clinic: Clinic) -> str:
    """Answer a patient whose wish could not be carried out; it may still be, so they are asked to say it again."""
    return f"{clinic.name}: we could not do this just now. Please reply again in a few minutes.{_questions(clinic)}"


def local_time(instant: datetime, zone_name: ZoneName) -> str:
    """Return an instant by a zone's clock: "Tue 24 Nov, 3:15 PM".

    In the hour that an autumn clock change repeats it says which of the two it is: "Sun 1 Nov, 1:30 AM EST".
    """
    local = instant.astimezone(zone(zone_name))
    half = "AM" if local.hour < _NOON else "PM"
    text = (
        f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}, "
        f"{local.hour % _NOON or _NOON}:{local.minute:02d} {half}"
    )
    return f"{text} {local.tzname()}" if _comes_twice(local) else text


def _questions(clinic: Clinic) -> str:
    return f" Questions? Call {clinic.phone}" if clinic.phone else ""


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
