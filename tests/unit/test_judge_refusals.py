"""The judge checks refusals: each one whose reason was not true is reported."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.client.answers import Answer
from hub.client.commands import Command, Request, User
from hub.ops.judge.tolerance import Tolerance
from hub.ops.judge.verdict import judge
from hub.scheduling.commands import MarkNoShow
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MAX, MONDAY, NINE, TEN, FaultlessClinic, found, refused

BOOK_TEN = Command("book", doctor_id=ADA.id, start=TEN)


@pytest.mark.parametrize(
    "code",
    [
        "slot_taken",
        "patient_busy",
        "too_many_appointments",
        "outside_hours",
        "off_grid",
        "in_the_past",
        "too_far_ahead",
        "doctor_unavailable",
        "not_found",
        "forbidden",
        "idempotency_key_reused",
    ],
)
def test_a_booking_refused_for_an_untrue_reason_is_reported(code: str) -> None:
    clinic = FaultlessClinic()
    _refuse(clinic, ANN, BOOK_TEN, code)
    assert found(clinic.judged()) == {f"the reason of a refusal was not true: {code}"}


@pytest.mark.parametrize("code", ["not_found", "forbidden"])
@pytest.mark.parametrize("kind", ["book", "confirm", "complete"])
def test_a_receptionist_refused_as_a_stranger_is_reported(kind: str, code: str) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    assert booked.appointment
    command = replace(BOOK_TEN, start=ELEVEN, patient_id=BOB.id)
    if kind != "book":
        command = Command(kind, appointment_id=booked.appointment.id)
    _refuse(clinic, User("robin", "receptionist", "Robin"), command, code)
    assert found(clinic.judged()) == {f"the reason of a refusal was not true: {code}"}


@pytest.mark.parametrize("kind", ["confirm", "cancel", "complete", "reschedule"])
@pytest.mark.parametrize("code", ["wrong_status", "not_found", "in_the_past", "forbidden"])
def test_a_change_refused_for_an_untrue_reason_is_reported(kind: str, code: str) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    start = ELEVEN if kind == "reschedule" else None
    _refuse(clinic, ADA, Command(kind, appointment_id=booked.appointment.id, start=start), code)
    assert found(clinic.judged()) == {f"the reason of a refusal was not true: {code}"}


def test_a_completion_that_was_not_too_early_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.now = TEN - timedelta(minutes=29)
    _refuse(clinic, ADA, Command("complete", appointment_id=booked.appointment.id), "too_early")
    assert found(clinic.judged()) == {"the reason of a refusal was not true: too_early"}


def test_a_slot_that_was_free_again_before_the_command_was_sent_was_not_taken() -> None:
    clinic = FaultlessClinic()
    _book_and_cancel(clinic)
    clinic.now += timedelta(seconds=1)
    _refuse(clinic, BOB, BOOK_TEN, "slot_taken")
    assert found(clinic.judged()) == {"the reason of a refusal was not true: slot_taken"}


def test_a_slot_that_was_taken_only_after_the_answer_was_not_taken() -> None:
    clinic = FaultlessClinic()
    _refuse(clinic, BOB, BOOK_TEN, "slot_taken")
    clinic.book(ANN, ADA, TEN)
    assert found(clinic.judged()) == {"the reason of a refusal was not true: slot_taken"}


@pytest.mark.parametrize(
    ("booker", "named", "violations"),
    [
        (ANN, "ann", set()),
        (ANN, "bob", {"the reason of a refusal was not true: slot_taken"}),
        (BOB, "ann", {"the reason of a refusal was not true: slot_taken"}),
    ],
)
def test_a_refusal_names_only_the_appointment_of_the_same_patient_at_that_time(
    booker: User, named: str, violations: set[str]
) -> None:
    clinic = FaultlessClinic()
    ids = {}
    for patient, start in ((ANN, TEN), (BOB, ELEVEN)):
        booked = clinic.book(patient, ADA, start)
        assert booked.appointment
        ids[patient.name.lower()] = booked.appointment.id
    _refuse(clinic, booker, BOOK_TEN, "slot_taken", ids[named])
    assert found(clinic.judged()) == violations


def test_a_slot_freed_during_the_request_may_have_been_taken() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    request = Request(BOB, BOOK_TEN, "slow", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.change(ANN, "cancel", booked)
    clinic.now += timedelta(seconds=1)
    clinic.history.on_answer(request, refused(request.key, "slot_taken", clinic.now))
    assert clinic.judged() == []


def test_a_repeated_request_may_get_the_decision_of_the_first() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    first = Request(BOB, BOOK_TEN, "twice", "rest", clinic.now)
    clinic.history.on_request(first)
    clinic.change(ANN, "cancel", booked)
    clinic.now += timedelta(seconds=1)
    second = replace(first, via="socket", at=clinic.now)
    clinic.history.on_request(second)
    for request in (first, second):
        clinic.history.on_answer(request, refused(request.key, "slot_taken", clinic.now))
    assert clinic.judged() == []


@pytest.mark.parametrize(("seconds", "named"), [(4, False), (8, True)])
def test_a_patient_is_busy_until_another_actors_cancellation_can_have_been_written(
    seconds: int, *, named: bool
) -> None:
    clinic = FaultlessClinic()
    _book_and_cancel(clinic)
    clinic.now = clinic.appointments[0].last.at + timedelta(seconds=seconds)
    _refuse(clinic, ANN, Command("book", doctor_id=MAX.id, start=TEN), "patient_busy")
    assert ("the reason of a refusal was not true: patient_busy" in found(clinic.judged())) is named


def test_the_time_of_a_write_is_a_parameter() -> None:
    clinic = FaultlessClinic()
    _book_and_cancel(clinic)
    clinic.now = clinic.appointments[0].last.at + timedelta(seconds=8)
    _refuse(clinic, ANN, Command("book", doctor_id=MAX.id, start=TEN), "patient_busy")
    patient = Tolerance(writing=timedelta(seconds=20))
    assert judge(clinic.history, list(clinic.dashboards.values()), clinic.record(), patient) == []


@pytest.mark.parametrize(("most", "named"), [(2, False), (3, True)])
def test_a_patient_at_the_limit_is_truly_refused_until_a_cancellation_can_have_been_written(
    most: int, *, named: bool
) -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, MAX, NINE)
    _book_and_cancel(clinic)
    clinic.now = clinic.appointments[0].last.at + timedelta(seconds=4)
    _refuse(clinic, ANN, Command("book", doctor_id=MAX.id, start=ELEVEN), "too_many_appointments")
    violations = judge(clinic.history, list(clinic.dashboards.values()), clinic.record(), Tolerance(most_active=most))
    assert ("the reason of a refusal was not true: too_many_appointments" in found(violations)) is named


def test_more_appointments_to_come_than_allowed_are_reported_if_the_patient_booked_them() -> None:
    clinic = FaultlessClinic()
    for start in (NINE, TEN, ELEVEN):
        clinic.book(ANN, ADA, start)
    clinic.send(ADA, Command("book", doctor_id=ADA.id, patient_id=ANN.id, start=ELEVEN + timedelta(hours=1)))
    for most, said in ((2, {"a patient had more appointments to come than the clinic allows"}), (3, set()), (0, set())):
        violations = judge(clinic.history, [], clinic.record(), Tolerance(most_active=most))
        assert found(violations) == said


def test_a_moved_appointment_does_not_conflict_with_itself() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    moving = Command("reschedule", appointment_id=booked.appointment.id, start=TEN)
    _refuse(clinic, ANN, moving, "slot_taken")
    assert found(clinic.judged()) == {"the reason of a refusal was not true: slot_taken"}


def test_a_refused_change_of_what_the_record_has_lost_does_not_stop_the_judge() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    for kind in ("confirm", "cancel", "complete", "reschedule"):
        for code in ("wrong_status", "too_early", "in_the_past", "slot_taken", "patient_busy", "off_grid"):
            command = Command(
                kind, appointment_id=booked.appointment.id, start=ELEVEN if kind == "reschedule" else None
            )
            request = Request(ANN, command, f"{kind} {code}", "rest", clinic.now)
            clinic.history.on_request(request)
            clinic.history.on_answer(request, refused(request.key, code, clinic.now))
    assert "an acknowledged change is not in the record" in found(clinic.judged([]))


def test_a_disabled_doctor_is_truly_unavailable() -> None:
    clinic = FaultlessClinic(disabled=True)
    clinic.send(ANN, BOOK_TEN)
    assert next(clinic.history.exchanges()).answer.code == "doctor_unavailable"
    assert clinic.judged() == []


def test_a_no_show_can_be_completed() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, NINE)
    clinic.due(MarkNoShow, booked, NINE + timedelta(minutes=15))
    _refuse(clinic, ADA, Command("complete", appointment_id=booked.appointment.id), "wrong_status")
    assert found(clinic.judged()) == {"the reason of a refusal was not true: wrong_status"}


@pytest.mark.parametrize(
    "begin",
    [
        lambda clinic, booked: clinic.change(ANN, "confirm", booked),
        lambda clinic, booked: clinic.change(ANN, "cancel", booked),
    ],
)
def test_changes_before_the_request_are_considered(
    begin: Callable[[FaultlessClinic, Answer], object],
) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    begin(clinic, booked)
    _refuse(clinic, ANN, Command("confirm", appointment_id=booked.appointment.id), "wrong_status")
    assert clinic.judged() == []


def test_a_start_in_the_past_is_a_true_reason() -> None:
    clinic = FaultlessClinic()
    _refuse(clinic, ANN, Command("book", doctor_id=ADA.id, start=MONDAY - timedelta(days=3)), "in_the_past")
    assert clinic.judged() == []


def _refuse(
    clinic: FaultlessClinic, user: User, command: Command, code: str, appointment_id: str | None = None
) -> None:
    """Add a refused command to the history, which took two seconds and was not decided by the rules."""
    request = Request(user, command, "planted", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.now += timedelta(seconds=2)
    answer = replace(refused(request.key, code, clinic.now), appointment_id=appointment_id)
    clinic.history.on_answer(request, answer)
    clinic.now += timedelta(seconds=1)


def _book_and_cancel(clinic: FaultlessClinic) -> None:
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "cancel", booked)
