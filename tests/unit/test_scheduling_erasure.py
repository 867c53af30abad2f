"""The appointment of a patient who was erased: nothing that was said is left, and everything else stays."""

import pytest

from hub.scheduling.apply import replayed
from hub.scheduling.decide import decide
from hub.scheduling.decision import RefusalCode, Repeated
from hub.scheduling.doctor_state import DoctorState
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
    book,
    change,
    free,
    only,
    standing,
    verdict,
)

STANDINGS = ["scheduled", "confirmed", "cancelled", "completed", "no_show", "arrived", "in_room"]
WORDS = "a rash since Friday"


def cancelled_with_words() -> DoctorState:
    said = after(free(), book(reason=WORDS), NOW)
    return after(said, change("cancel", key="gone", reason=f"better: {WORDS}"), NOW)


@pytest.mark.parametrize("status", STANDINGS)
def test_an_appointment_of_any_status_stays_as_it_is(status: str) -> None:
    before = standing(status)
    state = after(before, change("erase_patient"), NOW)
    appointment = only(state)
    same = {"reason": None, "version": appointment.version, "history": appointment.history}
    assert appointment == only(before).model_copy(update=same)
    assert (appointment.last.type, appointment.last.by) == ("patient_erased", PATIENT)
    assert appointment.erased
    assert slot_changes(BERLIN, appointment.last, appointment) == ()
    assert state.slot_owners == before.slot_owners


def test_no_word_is_left_and_the_history_gives_the_same_state() -> None:
    before = cancelled_with_words()
    assert not only(before).erased
    appointment = only(after(before, change("erase_patient"), NOW))
    assert "rash" not in appointment.model_dump_json()
    assert [each.type for each in appointment.history] == ["booked", "cancelled", "patient_erased"]
    assert replayed(appointment) == appointment
    known = {each.fingerprint for each in only(before).history}
    assert known.isdisjoint(each.fingerprint for each in appointment.history), "a hash would confirm a guess"


def test_a_command_whose_words_were_erased_is_still_told_from_another() -> None:
    erased = after(cancelled_with_words(), change("erase_patient"), NOW)
    for command in (book(reason=WORDS), change("cancel", key="gone", reason=f"better: {WORDS}")):
        assert isinstance(decide(erased, command, NOW), Repeated)
        others = command.model_copy(update={"by": DOCTOR})
        assert verdict(decide(erased, others, NOW)) == RefusalCode.IDEMPOTENCY_KEY_REUSED
    other = change("confirm", key="gone")
    assert verdict(decide(erased, other, NOW)) == RefusalCode.IDEMPOTENCY_KEY_REUSED
    never_said = after(free(), book(reason=None), NOW)
    assert verdict(decide(never_said, book(reason=WORDS), NOW)) == RefusalCode.IDEMPOTENCY_KEY_REUSED


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (PATIENT, "patient_erased"),
        (HUB, "patient_erased"),
        (DOCTOR, RefusalCode.FORBIDDEN),
        (RECEPTIONIST, RefusalCode.FORBIDDEN),
        (PATIENT.model_copy(update={"id": "bob"}), RefusalCode.NOT_FOUND),
    ],
)
def test_the_patient_and_the_command_line_erase(by: Actor, expected: str) -> None:
    assert verdict(decide(standing("scheduled"), change("erase_patient", by=by), NOW)) == expected


def test_an_appointment_that_another_patient_has_now_is_left_alone() -> None:
    joined = after(standing("scheduled"), change("join_patient", key="join"), NOW)
    assert verdict(decide(joined, change("erase_patient", by=HUB), NOW)) == RefusalCode.WRONG_STATUS
