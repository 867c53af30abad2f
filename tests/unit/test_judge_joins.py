"""The judge and joins: an appointment changes its patient, and each event is judged by whose it was then."""

from dataclasses import replace
from datetime import timedelta

from hub.client.answers import Answer
from hub.client.commands import Command, Request, User
from hub.ops.judge import due_deadlines, text_deliveries
from hub.ops.judge.text_deliveries import AcceptedText, TextEvidence
from hub.scheduling.commands import JoinPatient, RemindPatient
from hub.scheduling.decision import Accepted
from hub.scheduling.values import Actor, Role
from hub.texting.text import text_id
from tests.unit.judge_examples import ADA, ANN, BOB, MAX, NINE, TEN, FaultlessClinic, found, refused

ROBIN = Actor(id="robin", role=Role.RECEPTIONIST, via="rest")
DESK = User("robin", "receptionist", "Robin")
LEFT_BEHIND = "a join has left an appointment behind"


class ClinicWithDesk(FaultlessClinic):
    """A clinic with a receptionist, who joins patients."""

    def join(self, booked: Answer, into: User, *, requested: bool = True) -> None:
        shown = booked.appointment
        if requested:
            self.history.on_join(ROBIN.id, shown.patient_id, into.id, self.now)
        self._pass()
        command = JoinPatient(
            id=f"join-{shown.id}",
            doctor_id=shown.doctor_id,
            by=ROBIN,
            at=self.now,
            appointment_id=shown.id,
            previous_patient_id=shown.patient_id,
            patient_id=into.id,
        )
        assert isinstance(self._give(command), Accepted)
        self._pass()


def test_what_was_booked_for_one_and_is_the_others_now_breaks_no_promise() -> None:
    clinic = ClinicWithDesk()
    hers, over = clinic.book(ANN, ADA, TEN), clinic.book(ANN, ADA, NINE)
    before = clinic.book(BOB, MAX, TEN)  # at the time of hers, which was not his then
    clinic.change(BOB, "cancel", before)
    clinic.change(ANN, "cancel", over)
    clinic.join(hers, BOB)
    clinic.join(over, BOB)
    clinic.history.on_joined(ANN.id, BOB.id, [])
    clinic.change(BOB, "reschedule", hers, TEN + timedelta(hours=1))
    clinic.change(ADA, "complete", hers)
    assert clinic.judged() == []


def test_who_is_there_at_the_join_is_missed_only_after_leaving_again() -> None:
    clinic = ClinicWithDesk()
    clinic.now = NINE - timedelta(hours=2)  # too late for a reminder
    booked = clinic.book(ANN, ADA, NINE)
    clinic.now = NINE - timedelta(minutes=5)
    assert clinic.change(ADA, "check_in", booked).ok
    clinic.join(booked, BOB)
    clinic.now = NINE + timedelta(hours=1)
    late = timedelta(minutes=1)
    assert list(due_deadlines.missed(clinic.record(), late)) == []
    assert clinic.change(ADA, "undo_visit", booked).ok
    clinic.now += timedelta(hours=1)
    assert found(due_deadlines.missed(clinic.record(), late)) == {"a missed appointment was not marked as no-show"}


def test_a_booking_for_the_first_patient_is_made_for_the_account_after_the_join() -> None:
    clinic = ClinicWithDesk()
    asked = Command("book", doctor_id=ADA.id, start=TEN, patient_id=BOB.id)
    clinic.send(ADA, asked)
    [exchange] = clinic.history.exchanges()
    exchange.request = replace(exchange.request, command=replace(asked, patient_id="lea"))
    assert found(clinic.judged()) == {"the record has a change that no client requested"}
    clinic.history.on_join(ROBIN.id, "lea", BOB.id, clinic.now)
    assert clinic.judged() == []


def test_an_appointment_that_a_join_has_left_behind_is_reported_unless_it_was_named() -> None:
    clinic = ClinicWithDesk()
    hers = clinic.book(ANN, ADA, TEN)
    clinic.history.on_join(ROBIN.id, ANN.id, BOB.id, clinic.now)
    clinic.history.on_joined(ANN.id, BOB.id, [])
    assert LEFT_BEHIND in found(clinic.judged())
    clinic.history.on_joined(ANN.id, BOB.id, [hers.appointment.id])
    assert clinic.judged() == []


def test_a_join_that_nobody_requested_is_reported() -> None:
    clinic = ClinicWithDesk()
    hers = clinic.book(ANN, ADA, TEN)
    clinic.history.on_join(ROBIN.id, BOB.id, ANN.id, clinic.now)
    clinic.join(hers, BOB, requested=False)
    request = Request(DESK, Command("confirm", appointment_id="-"), "k", "rest", clinic.now - timedelta(hours=9))
    clinic.history.on_request(request)
    clinic.history.on_answer(request, refused("k", "not_found", clinic.now))
    assert "the record has a change that no client requested" in found(clinic.judged())


def test_the_account_is_told_of_the_join_and_of_nothing_before() -> None:
    clinic = ClinicWithDesk()
    hers = clinic.book(ANN, ADA, TEN)
    clinic.join(hers, BOB)
    received = clinic.dashboards[BOB.id].periods[-1].received
    assert [each.event.type for each in received] == ["patient_joined"]
    before = clinic.dashboards[ANN.id].periods[-1].received[0]
    received.insert(0, before)
    assert found(clinic.judged()) == {"an event was sent to a client that may not see it"}
    received.clear()
    assert found(clinic.judged()) == {"an event was not sent"}


def test_a_reminder_of_before_the_join_is_the_first_patients() -> None:
    clinic = ClinicWithDesk()
    hers = clinic.book(ANN, ADA, TEN)
    clinic.due(RemindPatient, hers, TEN - timedelta(hours=3))
    clinic.join(hers, BOB)
    record = clinic.record()
    [reminder] = text_deliveries.reminders(record)
    text = text_id(ADA.id, reminder.event.seq, ANN.id)
    late = clinic.now + timedelta(hours=1)
    accepted = [AcceptedText(text, clinic.now)]
    evidence = TextEvidence({}, accepted, settled=late, given_up=late, in_transit=timedelta(0))
    assert list(text_deliveries.undelivered(record, evidence)) == []
    assert list(text_deliveries.too_late(record, evidence)) == []
    assert list(due_deadlines.missed(record, timedelta(seconds=30))) == []
