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
    return f"{clinic.name}: reminder of your appointment {when}. {_ANSWERS}{_questions(clinic)}"


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


_ANSWERS = "Reply 1 to confirm or 2 to cancel."


def _questions(clinic: Clinic) -> str:
    return f" Questions? Call {clinic.phone}" if clinic.phone else ""


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
