"""The judge and erasures: what was shown before has words that the record has no more, and nothing is left."""

from dataclasses import replace
from datetime import datetime, timedelta

from hub.client.answers import Answer
from hub.client.commands import Command, User
from hub.ops.judge import text_deliveries
from hub.ops.judge.history import LineAnswer, LineRequest
from hub.ops.judge.record import as_erased
from hub.scheduling.commands import CancelAppointment, ErasePatient
from hub.scheduling.decision import Accepted
from hub.scheduling.values import Actor, Role
from hub.scheduling.views import view
from tests.unit.judge_examples import ADA, ANN, BOB, NINE, TEN, FaultlessClinic, found, refused
from tests.unit.test_judge_due_deadlines import a_visit, evidence

LEFT_WORDS, LEFT = "an erasure has left words behind", "an erasure has left an appointment to come"


class ClinicThatErases(FaultlessClinic):
    """A clinic whose patients erase themselves."""

    def said(self, user: User, start: datetime, reason: str) -> Answer:
        return self.send(user, Command("book", doctor_id=ADA.id, start=start, reason=reason))

    def erase(self, user: User, *booked: Answer, requested: bool = True, cancels: bool = True) -> None:
        if requested:
            self.history.on_erase(user.id, self.now)
        for each in booked:
            shown = each.appointment
            header = {
                "doctor_id": shown.doctor_id,
                "by": Actor(id=user.id, role=Role.PATIENT, via="rest"),
                "appointment_id": shown.id,
            }
            self._pass()
            erase = ErasePatient(id=f"erase-{shown.id}", at=self.now, patient_id=user.id, **header)
            assert isinstance(self._give(erase), Accepted)
            self._pass()
            if cancels:
                cancel = CancelAppointment(id=f"cancel-{shown.id}", at=self.now, **header)
                assert isinstance(self._give(cancel), Accepted)
                self._pass()
        if requested:
            self.history.on_erased(user.id, self.now)


def test_a_history_with_an_erased_person_breaks_no_promise() -> None:
    clinic = ClinicThatErases()
    first, second = clinic.said(ANN, TEN, "a cough"), clinic.said(ANN, NINE, "a rash")
    clinic.said(BOB, TEN.replace(hour=11), "his own")
    clinic.erase(ANN, first, second)
    assert clinic.judged() == []


def test_what_an_erasure_has_not_reached_is_found() -> None:
    clinic = ClinicThatErases()
    booked, forgotten = clinic.book(ANN, ADA, TEN), clinic.said(ANN, NINE, "a rash")
    clinic.erase(ANN, booked, cancels=False)
    assert {each.what for each in clinic.judged()} == {LEFT_WORDS, LEFT}
    assert forgotten.appointment


def test_changes_of_an_erasure_that_nobody_has_asked_for_are_found() -> None:
    clinic = ClinicThatErases()
    clinic.erase(ANN, clinic.book(ANN, ADA, TEN), requested=False)
    assert "the record has a change that no client requested" in {each.what for each in clinic.judged()}


def test_a_booking_and_a_wish_after_the_answer_are_found() -> None:
    clinic = ClinicThatErases()
    clinic.erase(ANN)
    clinic.now += timedelta(seconds=1)
    clinic.book(ANN, ADA, TEN)
    request = clinic.history.on_line_request(LineRequest(ADA, "join", "a-key", clinic.now, ADA.id, ANN.id))
    request.answers.append(LineAnswer(clinic.now, id="an-entry"))
    assert {"an erased patient was booked", "an erased patient joined a line"} <= found(clinic.judged())


def test_a_booking_that_was_under_way_has_to_be_found_after_a_while() -> None:
    clinic = ClinicThatErases()
    clinic.history.on_erase(ANN.id, clinic.now)
    clinic.book(ANN, ADA, TEN)
    clinic.history.on_erased(ANN.id, clinic.now)
    assert clinic.judged() == []
    clinic.now += timedelta(minutes=6)
    assert found(clinic.judged()) == {LEFT_WORDS, LEFT}


def test_an_erasure_without_an_answer_is_found() -> None:
    clinic = ClinicThatErases()
    clinic.history.on_erase(ANN.id, clinic.now)
    assert found(clinic.judged()) == {"an erasure was not decided"}


def test_a_repetition_may_be_refused_because_its_patient_has_been_erased_since() -> None:
    clinic = ClinicThatErases()
    booked = clinic.book(ANN, ADA, TEN)
    clinic.erase(ANN, booked)
    request = next(clinic.history.exchanges()).request
    clinic.history.on_request(again := replace(request))
    clinic.history.on_answer(again, refused(again.key, "patient_erased", clinic.now))
    assert clinic.judged() == []


def test_a_text_after_the_erasure_of_its_recipient_is_found() -> None:
    clinic = a_visit()
    given = evidence(clinic)
    (text,), (accepted,) = given.texts.values(), given.accepted
    before = accepted.at - given.in_transit - timedelta(seconds=1)
    told = text_deliveries.after_erasure({text.user_id: before}, given)
    assert found(told) == {"a text was delivered after its recipient was erased"}
    assert not list(text_deliveries.after_erasure({text.user_id: accepted.at}, given))


def test_words_are_excused_only_in_what_was_shown_before() -> None:
    clinic = ClinicThatErases()
    booked = clinic.said(ANN, TEN, "a cough")
    shown = booked.appointment
    clinic.erase(ANN, booked)
    record = clinic.record()
    appointment = record.appointments[shown.id]
    assert as_erased(shown, appointment, 1).reason is None
    assert as_erased(shown, appointment, 2).reason == "a cough", "from the erasure on, it is shown no more"
    assert as_erased(view(appointment), appointment, 3) == view(appointment)
