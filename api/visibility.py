"""Which appointments a person may see, in every list, read, text, figure, calendar feed and `sync`.

Doctors and patients see their own appointments, receptionists all appointments of the clinic.
"""

from typing import Protocol, TypeVar

from api.http.problems import Problem
from hub.accounts.identity import Identity
from hub.records.appointment_filter import NO_APPOINTMENTS, AppointmentFilter, Listed
from hub.records.ports import AppointmentRecords
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Role

A = TypeVar("A", bound=Listed)


class Waits(Protocol):
    """What decides who sees an entry of the waitlist."""

    @property
    def doctor_id(self) -> str:
        """The doctor."""

    @property
    def patient_id(self) -> str:
        """The patient."""


def visible_to(role: Role, user_id: str) -> AppointmentFilter:
    """Return the filter that every appointment passes which this person may see.

    A role that is not listed here sees nothing.
    """
    match role:
        case Role.DOCTOR:
            return AppointmentFilter(doctor_id=user_id)
        case Role.PATIENT:
            return AppointmentFilter(patient_id=user_id)
        case Role.RECEPTIONIST:
            return AppointmentFilter()
        case _:
            return NO_APPOINTMENTS


def may_see_entry(role: Role, user_id: str, entry: Waits) -> bool:
    """Return whether this person may see an entry of the waitlist: the own one, that of the own line, or any."""
    match role:
        case Role.DOCTOR:
            return entry.doctor_id == user_id
        case Role.PATIENT:
            return entry.patient_id == user_id
        case Role.RECEPTIONIST:
            return True
        case _:
            return False


async def visible_appointment(records: AppointmentRecords, who: Identity, appointment_id: str) -> Appointment:
    """Return an appointment that the caller may see.

    Raises `Problem` not_found: an appointment of other people is answered like one that does not exist.
    """
    found = (await records.by_ids([appointment_id])).get(appointment_id)
    if found is None:  # a database server that is no longer primary may not have it yet
        found = (await records.current([appointment_id])).get(appointment_id)
    return require_visible(who, found)


def require_visible(who: Identity, found: A | None) -> A:
    """Return the appointment if it exists and the caller may see it. Raises `Problem` not_found."""
    if found is None or not visible_to(who.role, who.user_id).matches(found):
        raise Problem("not_found", "There is no such appointment.")
    return found
