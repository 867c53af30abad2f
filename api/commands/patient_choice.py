"""For which patient somebody acts."""

from api.commands.command_client import stored
from api.http.problems import FieldError, Problem
from hub.accounts.identity import Identity
from hub.records.ports import Records
from hub.scheduling.values import Role


async def chosen_patient(records: Records, who: Identity, doctor_id: str, patient_id: str | None) -> str:
    """Return the patient for whom the caller acts at this doctor.

    Patients act for themselves, doctors only in their own calendar, receptionists everywhere; staff have to name the
    patient. For a patient who was joined with another account, that one is returned. Raises `Problem`.
    """
    if who.role is Role.PATIENT:
        if patient_id not in (None, who.user_id):
            raise Problem("forbidden", "A patient can book only for themselves.")
        return who.user_id
    if who.role is not Role.RECEPTIONIST and doctor_id != who.user_id:
        raise Problem("forbidden", "A doctor can book only in their own calendar.")
    if patient_id is None:
        raise _wrong_patient("Say for which patient.", "missing")
    patient = await stored(records.users.by_id(patient_id))
    if patient is None or patient.role != "patient":
        raise _wrong_patient("There is no such patient.", "unknown")
    if patient.erased:
        raise Problem("patient_erased", "The data of this patient was erased. Nothing can be booked for them.")
    return patient.id if patient.joined_into is None else patient.joined_into.account_id


def _wrong_patient(detail: str, code: str) -> Problem:
    return Problem("invalid_request", detail, errors=[FieldError("/patientId", detail, code)])
