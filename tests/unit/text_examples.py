"""A doctor in Berlin with a phone, a patient with a phone, and the events of their appointment."""

from datetime import datetime

from hub.accounts.account import Account
from hub.scheduling.commands import Command
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.recorded_event import RecordedEvent
from hub.texting.planning import plan_texts
from hub.texting.text import Text
from hub.texting.wording import Clinic
from tests.people import patient
from tests.unit.clinic_examples import BERLIN, NOW, after, only

CLINIC = Clinic(name="Riverside Clinic", phone="555-010-0199")
PATIENT = patient("ann", name="Ann Example", phone="+12025550101")
DOCTOR = PATIENT.model_copy(
    update={
        "id": "berlin",
        "role": "doctor",
        "name": "Dr. Berta Example",
        "specialty": "Psychiatry",
        "phone": "+12025550102",
        "schedule": BERLIN,
    }
)


def happened(state: DoctorState) -> RecordedEvent:
    """Return the latest event of the only appointment."""
    appointment = only(state)
    return RecordedEvent(appointment.last, appointment)


def asked(
    state: DoctorState, command: Command, at: datetime = NOW, doctor: Account = DOCTOR, patient: Account = PATIENT
) -> list[Text]:
    """Return the texts of a command that is applied at `at`, planned at the same time."""
    assert doctor.schedule
    return plan_texts(CLINIC, doctor, doctor.schedule, patient, happened(after(state, command, at)), at)


def said(texts: list[Text]) -> list[tuple[str, str]]:
    return [(text.line, text.kind) for text in texts]
