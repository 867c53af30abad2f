"""The judge and the visit: no no-show of a patient who has arrived, and refusals of its steps are true."""

from datetime import timedelta

import pytest

from hub.client.answers import Answer
from hub.client.commands import Command, Request
from hub.ops.judge import due_deadlines
from hub.scheduling.apply import apply
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import MarkNoShow
from hub.scheduling.events import AppointmentMissed
from tests.unit.judge_examples import ADA, ANN, BOB, MAX, NINE, FaultlessClinic, altered, found, refused

MINUTE = timedelta(minutes=1)
LATE = timedelta(seconds=30)
UNTRUE = "the reason of a refusal was not true: "


def arrived(at: timedelta = -10 * MINUTE) -> tuple[FaultlessClinic, Answer]:
    """Return a clinic in which Ann has arrived for her appointment with Ada at nine, some time from the start."""
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, NINE)
    clinic.now = NINE + at
    assert clinic.change(ADA, "check_in", booked).ok
    return clinic, booked


def test_a_visit_with_granted_and_refused_steps_breaks_no_promise() -> None:
    clinic, booked = arrived()
    for kind in ("check_in", "call_in", "call_in", "undo_visit", "undo_visit", "undo_visit", "call_in", "check_in"):
        clinic.change(ADA, kind, booked)
    for user, kind in ((ANN, "check_in"), (BOB, "call_in"), (MAX, "undo_visit"), (ANN, "cancel"), (ADA, "cancel")):
        assert not clinic.change(user, kind, booked).ok
    clinic.change(ADA, "call_in", booked)
    clinic.change(ADA, "complete", booked)
    assert clinic.judged() == []


def test_a_late_patients_no_show_that_is_checked_in_breaks_no_promise() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, NINE)
    clinic.due(MarkNoShow, booked, NINE + 15 * MINUTE)
    clinic.now = NINE + 40 * MINUTE
    clinic.arrange("change_hours", ADA, shifts=[])
    assert clinic.change(ADA, "check_in", booked).appointment.status == "confirmed"
    clinic.change(ADA, "undo_visit", booked)
    clinic.due(MarkNoShow, booked, clinic.now)
    assert clinic.judged() == []


def test_a_check_in_too_early_and_one_on_the_next_day_are_truly_refused() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, NINE)
    assert clinic.change(ADA, "check_in", booked).code == "too_early"
    clinic.now = NINE + timedelta(days=1)
    assert clinic.change(ADA, "check_in", booked).code == "in_the_past"
    assert clinic.judged() == []


def test_a_no_show_of_a_patient_who_has_arrived_is_reported() -> None:
    clinic, booked = arrived()
    clinic.now = NINE + 20 * MINUTE
    missed = altered(clinic.appointments, booked.appointment.id, mark_missed)
    assert "a patient who had arrived was marked as no-show" in found(clinic.judged(missed))


def mark_missed(appointment: Appointment) -> Appointment:
    fields = appointment.last.model_dump(exclude={"type"}) | {"at": NINE + 15 * MINUTE, "command_id": "planted"}
    fields |= {"seq": appointment.last.seq + 1, "prev": appointment.last.seq}
    return apply(appointment, AppointmentMissed.model_validate(fields))


def test_a_patient_who_stays_does_not_have_to_become_a_no_show() -> None:
    clinic, _ = arrived()
    clinic.now = NINE + timedelta(hours=3)
    assert [each.kind for each in due_deadlines.due_deadlines(clinic.record(), LATE)] == ["reminder"]


@pytest.mark.parametrize("left", [-5 * MINUTE, timedelta(hours=1)], ids=["before it is due", "after"])
def test_a_patient_who_has_left_again_has_to_become_a_no_show(left: timedelta) -> None:
    clinic, booked = arrived()
    clinic.now = NINE + left
    clinic.change(ADA, "undo_visit", booked)
    clinic.now = max(clinic.now, NINE + 15 * MINUTE) + MINUTE
    what = {violation.what for violation in due_deadlines.missed(clinic.record(), LATE)}
    assert "a missed appointment was not marked as no-show" in what


def test_a_no_show_that_was_not_marked_in_time_is_reported_though_the_patient_came_later() -> None:
    clinic, _ = arrived(at=20 * MINUTE)
    what = {violation.what for violation in due_deadlines.missed(clinic.record(), LATE)}
    assert "a missed appointment was not marked as no-show" in what
    clinic, _ = arrived(at=15 * MINUTE + LATE)
    what = {violation.what for violation in due_deadlines.missed(clinic.record(), 2 * LATE)}
    assert "a missed appointment was not marked as no-show" not in what


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cancel", "forbidden"),
        ("call_in", "wrong_status"),
        ("call_in", "forbidden"),
        ("undo_visit", "wrong_status"),
        ("undo_visit", "not_found"),
        ("check_in", "too_early"),
        ("check_in", "in_the_past"),
        ("check_in", "slot_taken"),
        ("check_in", "patient_busy"),
    ],
)
def test_an_untrue_refusal_of_a_step_is_reported(kind: str, code: str) -> None:
    clinic, booked = arrived()
    clinic.now += 5 * MINUTE
    request = Request(ADA, Command(kind, appointment_id=booked.appointment.id), "planted", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.now += timedelta(seconds=2)
    clinic.history.on_answer(request, refused(request.key, code, clinic.now))
    assert found(clinic.judged()) == {UNTRUE + code}


def test_an_early_patient_in_the_room_is_not_too_early_to_be_completed() -> None:
    clinic, booked = arrived(at=-timedelta(hours=2))
    clinic.change(ADA, "call_in", booked)
    clinic.now += 5 * MINUTE
    request = Request(ADA, Command("complete", appointment_id=booked.appointment.id), "planted", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.now += timedelta(seconds=2)
    clinic.history.on_answer(request, refused(request.key, "too_early", clinic.now))
    assert found(clinic.judged()) == {UNTRUE + "too_early"}
