"""The judge compares answers with the record: each planted fault is reported."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.client.answers import NO_ANSWER, Answer
from hub.client.commands import Command, Request, User
from hub.ops.judge.history import History
from hub.ops.judge.verdict import judge
from hub.scheduling.apply import apply_all
from hub.scheduling.events import AppointmentConfirmed
from tests.unit.judge_examples import ADA, ANN, BOB, ELEVEN, MAX, NINE, TEN, FaultlessClinic, altered, found, refused


def test_an_acknowledged_booking_that_is_not_in_the_record_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    assert "an acknowledged change is not in the record" in found(clinic.judged([]))


def test_an_acknowledged_change_that_the_record_lost_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "cancel", booked)
    lost = altered(clinic.appointments, booked.appointment.id, lambda each: apply_all(None, each.history[:1]))
    assert "an acknowledged change is not in the record" in found(clinic.judged(lost))


def test_an_acknowledgement_of_another_appointment_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    other = clinic.book(BOB, ADA, ELEVEN)
    _answer_instead(clinic, booked, replace(booked, appointment=other.appointment))
    assert "an acknowledged change is not in the record" in found(clinic.judged())


def test_an_acknowledgement_of_a_change_that_became_another_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.change(ANN, "confirm", booked)
    _ask_instead(clinic, "confirm", Command("cancel", appointment_id=booked.appointment.id))
    assert "an acknowledged change is not in the record" in found(clinic.judged())


def test_an_acknowledged_version_that_the_record_never_reached_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    ahead = booked.appointment.model_copy(update={"version": 2})
    _answer_instead(clinic, booked, replace(booked, appointment=ahead))
    assert "an acknowledged change is not in the record" in found(clinic.judged())


@pytest.mark.parametrize("shown", ["then", "now"])
def test_a_repetition_is_right_with_what_was_true_then_and_wrong_with_what_is_true_now(shown: str) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN, key="k")
    moved = clinic.change(ANN, "reschedule", booked, ELEVEN)
    clinic.change(ANN, "confirm", booked)
    again = clinic.book(ANN, ADA, TEN, key="k")
    assert (again.appointment, again.replayed) == (booked.appointment, True)
    if shown == "now":
        _answer_instead(clinic, again, replace(again, appointment=moved.appointment))
    assert ("an acknowledged change is not in the record" in found(clinic.judged())) is (shown == "now")


def test_an_acknowledgement_with_another_doctor_or_patient_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    other = booked.appointment.model_copy(update={"patient_id": BOB.id})
    _answer_instead(clinic, booked, replace(booked, appointment=other))
    assert "an acknowledged change is not in the record" in found(clinic.judged())


@pytest.mark.parametrize(("later", "reported"), [(timedelta(0), False), (timedelta(seconds=1), True)])
def test_two_events_of_a_command_are_right_only_if_they_are_of_one_decision(
    later: timedelta, *, reported: bool
) -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    booked = clinic.appointments[0]
    header = booked.last.model_dump(include={"by", "command_id", "fingerprint"})
    second = AppointmentConfirmed(**header, seq=2, prev=1, at=booked.last.at + later)
    judged = clinic.judged([apply_all(None, [*booked.history, second])])
    assert ("a command was applied twice" in found(judged)) is reported


def test_a_command_that_was_applied_twice_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    twin = clinic.appointments[0].history[0].model_copy(update={"doctor_id": MAX.id, "start": ELEVEN})
    again = apply_all(None, [twin]).model_copy(update={"id": "twin"})
    assert "a command was applied twice" in found(clinic.judged([*clinic.appointments, again]))


def test_one_command_that_was_acknowledged_for_two_appointments_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN, key="twice")
    again = clinic.send(ANN, Command("book", doctor_id=ADA.id, start=TEN), key="twice", via="socket")
    assert again.ok
    assert clinic.judged() == []
    other = again.appointment.model_copy(update={"id": "another"})
    _answer_instead(clinic, again, replace(again, appointment=other))
    assert booked.appointment.id != "another"
    assert "a command was acknowledged for two appointments" in found(clinic.judged())


def test_a_refused_command_that_was_applied_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    _answer_instead(clinic, booked, refused(booked.key, "slot_taken", booked.at))
    assert "a refused command was applied" in found(clinic.judged())


def test_a_key_reused_for_a_second_patient_is_refused_and_breaks_no_promise() -> None:
    clinic = FaultlessClinic()
    answers = [
        clinic.send(ADA, Command("book", doctor_id=ADA.id, start=TEN, patient_id=patient.id), key="the same")
        for patient in (ANN, BOB)
    ]
    assert [answer.code for answer in answers] == [None, "idempotency_key_reused"]
    assert clinic.judged() == []


def test_a_booking_for_another_patient_than_requested_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.send(ADA, Command("book", doctor_id=ADA.id, start=TEN, patient_id=ANN.id))
    _ask_instead(clinic, "book", Command("book", doctor_id=ADA.id, start=TEN, patient_id=BOB.id))
    assert "the record has a change that no client requested" in found(clinic.judged())


def test_a_change_that_no_client_requested_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    unasked = clinic.book(ANN, ADA, ELEVEN)
    assert "the record has a change that no client requested" in found(_judged_without(clinic, unasked))


def test_a_booking_of_another_slot_than_requested_is_reported() -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, TEN)
    _ask_instead(clinic, "book", Command("confirm", appointment_id=booked.appointment.id))
    assert "the record has a change that no client requested" in found(clinic.judged())


def test_changes_by_users_outside_the_history_are_ignored() -> None:
    clinic = FaultlessClinic()
    clinic.book(ANN, ADA, TEN)
    others = clinic.book(BOB, ADA, ELEVEN)
    assert _judged_without(clinic, others) == []


def test_a_command_without_an_answer_is_reported() -> None:
    clinic = FaultlessClinic()
    clinic.history.on_request(Request(ANN, Command("book", doctor_id=ADA.id, start=NINE), "lost", "rest", clinic.now))
    assert found(clinic.judged()) == {"a command was not decided"}


@pytest.mark.parametrize("code", ["try_again", "unavailable", "draining", "busy", NO_ANSWER])
def test_a_command_that_stayed_undecided_is_reported(code: str) -> None:
    clinic = FaultlessClinic()
    _refuse(clinic, ANN, Command("book", doctor_id=ADA.id, start=NINE), code)
    assert found(clinic.judged()) == {"a command was not decided"}


def test_a_refusal_without_a_known_reason_is_reported() -> None:
    clinic = FaultlessClinic()
    _refuse(clinic, ANN, Command("book", doctor_id=ADA.id, start=NINE), "internal")
    assert found(clinic.judged()) == {"a refusal has no known reason code"}


def _refuse(clinic: FaultlessClinic, user: User, command: Command, code: str) -> None:
    request = Request(user, command, "planted", "rest", clinic.now)
    clinic.history.on_request(request)
    clinic.history.on_answer(request, refused(request.key, code, clinic.now))


def _answer_instead(clinic: FaultlessClinic, given: Answer, planted: Answer) -> None:
    exchange = next(exchange for exchange in clinic.history.exchanges() if exchange.answer == given)
    exchange.answer = planted


def _ask_instead(clinic: FaultlessClinic, kind: str, planted: Command) -> None:
    """Replace the command of a request in the history."""
    exchange = next(exchange for exchange in clinic.history.exchanges() if exchange.request.command.kind == kind)
    exchange.request = replace(exchange.request, command=planted)


def _judged_without(clinic: FaultlessClinic, answer: Answer) -> list[object]:
    """Judge with a history without one of its commands."""
    history = History()
    for exchange in clinic.history.exchanges():
        if exchange.answer != answer:
            history.on_request(exchange.request)
            history.on_answer(exchange.request, exchange.answer)
    return judge(history, list(clinic.dashboards.values()), clinic.record())
