"""The appointment of a patient who was joined with another account: who may move it, and what stays."""

import pytest

from hub.scheduling.decide import decide
from hub.scheduling.decision import RefusalCode
from hub.scheduling.slots import slot_changes
from hub.scheduling.values import Actor
from tests.unit.clinic_examples import (
    BERLIN,
    DOCTOR,
    HUB,
    NOW,
    PATIENT,
    RECEPTIONIST,
    after,
    change,
    only,
    standing,
    verdict,
)

STANDINGS = ["scheduled", "confirmed", "cancelled", "completed", "no_show", "arrived", "in_room"]


@pytest.mark.parametrize("status", STANDINGS)
def test_an_appointment_of_any_status_gets_the_new_patient_and_stays_as_it_is(status: str) -> None:
    before = standing(status)
    state = after(before, change("join_patient"), NOW)
    appointment = only(state)
    new = {"patient_id": "joined", "version": appointment.version, "history": appointment.history}
    assert appointment == only(before).model_copy(update=new)
    assert appointment.last.by == RECEPTIONIST
    assert slot_changes(BERLIN, appointment.last, appointment) == ()


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (RECEPTIONIST, "patient_joined"),
        (HUB, "patient_joined"),
        (DOCTOR, RefusalCode.FORBIDDEN),
        (PATIENT, RefusalCode.FORBIDDEN),
    ],
)
def test_the_desk_joins(by: Actor, expected: str) -> None:
    assert verdict(decide(standing("scheduled"), change("join_patient", by=by), NOW)) == expected


@pytest.mark.parametrize(("previous", "patient"), [("bob", "joined"), (PATIENT.id, PATIENT.id), ("joined", PATIENT.id)])
def test_an_appointment_of_somebody_else_is_not_moved(previous: str, patient: str) -> None:
    command = change("join_patient", previous_patient_id=previous, patient_id=patient)
    assert verdict(decide(standing("scheduled"), command, NOW)) == RefusalCode.WRONG_STATUS


def test_the_first_patient_has_no_part_in_it_any_more_and_the_account_has() -> None:
    joined = after(standing("scheduled"), change("join_patient", key="join"), NOW)
    assert verdict(decide(joined, change("cancel"), NOW)) == RefusalCode.NOT_FOUND
    own = Actor(id="joined", role=PATIENT.role, via="rest")
    assert verdict(decide(joined, change("cancel", by=own), NOW)) == "cancelled"
