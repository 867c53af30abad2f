"""Writes appointments as an iCalendar file, RFC 5545."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from icalendar import STATUS, Calendar, Event

from hub.accounts.account import Account
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Status

ICALENDAR: Final = "text/calendar; charset=utf-8"

_STATUS: Mapping[Status, STATUS] = {
    Status.SCHEDULED: STATUS.TENTATIVE,
    Status.CONFIRMED: STATUS.CONFIRMED,
    Status.CANCELLED: STATUS.CANCELLED,
    Status.COMPLETED: STATUS.CONFIRMED,
    Status.NO_SHOW: STATUS.CONFIRMED,
}


def calendar_file(appointments: Iterable[Appointment], people: Mapping[str, Account], reader_id: str) -> bytes:
    """Return the appointments of the reader as a calendar. Each shows the name of the other person, never the reason.

    Calendars are shared, shown on locked screens and stored by other companies, so they must not hold medical data.
    `people` has the accounts of the other persons. The same appointments always give the same bytes.
    """
    calendar = Calendar.new(
        prodid="-//Clinic Hub//Clinic Hub//EN",
        uid=f"{reader_id}@clinic-hub",  # without it, the library makes a random one at each call
        name="Appointments",
        calscale="GREGORIAN",
    )
    for appointment in appointments:
        calendar.add_component(_event(appointment, people, reader_id))
    return bytes(calendar.to_ical())


def etag(calendar: bytes) -> str:
    """Return the ETag of a calendar: another one when any byte of it differs."""
    return f'"{sha256(calendar).hexdigest()[:32]}"'


def _event(appointment: Appointment, people: Mapping[str, Account], reader_id: str) -> Event:
    is_doctor = reader_id == appointment.doctor_id
    other = people.get(appointment.patient_id if is_doctor else appointment.doctor_id)
    return Event.new(
        uid=f"{appointment.id}@clinic-hub",
        summary=f"Appointment with {other.name}" if other and other.name else "Appointment",
        start=appointment.start,
        end=appointment.end,
        status=_STATUS[appointment.status],
        # A calendar program replaces an event by one with a higher sequence.
        sequence=appointment.version - 1,
        stamp=appointment.last.at,
        created=appointment.created_at,
        last_modified=appointment.last.at,
    )
