"""The judge checks deadlines and deliveries of texts: each planted fault is reported, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hub.ops.judge import due_deadlines, text_deliveries
from hub.ops.judge.promises import Promise, Violation
from hub.ops.judge.record import Record
from hub.ops.judge.text_deliveries import AcceptedText, TextEvidence
from hub.scheduling.apply import apply_all
from hub.scheduling.commands import MarkNoShow, RemindPatient
from hub.texting.text import Text, TextStatus, text_id
from tests.unit.judge_examples import ADA, ANN, ELEVEN, MONDAY, FaultlessClinic, found

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REMINDED_AT, MISSED_AT = ELEVEN - timedelta(hours=3), ELEVEN + timedelta(minutes=15)
NOON = MONDAY.replace(hour=12)


def a_visit(*, reminded: bool = True, missed: bool = True) -> FaultlessClinic:
    """Return a clinic at noon in which one patient had an appointment at eleven."""
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, ELEVEN)
    if reminded:
        clinic.due(RemindPatient, booked, REMINDED_AT + SECOND)
    if missed:
        clinic.due(MarkNoShow, booked, MISSED_AT + SECOND)
    clinic.now = NOON
    return clinic


def unmet(clinic: FaultlessClinic, late: timedelta = MINUTE) -> list[Violation]:
    return list(due_deadlines.missed(clinic.record(), late))


def test_a_reminder_and_a_no_show_that_happened_count_as_met() -> None:
    clinic = a_visit()
    assert [each.kind for each in due_deadlines.due_deadlines(clinic.record(), MINUTE) if each.event] == [
        "reminder",
        "no_show",
    ]
    assert unmet(clinic) == []


def test_a_reminder_that_never_came_is_reported() -> None:
    clinic = a_visit(reminded=False, missed=False)
    assert found(unmet(clinic)) == {"a due reminder was never sent", "a missed appointment was not marked as no-show"}
    assert {violation.promise for violation in unmet(clinic)} == {Promise.REMINDED_ONCE}


def test_a_deadline_that_has_just_come_due_may_still_be_met() -> None:
    clinic = a_visit(missed=False)
    clinic.now = MISSED_AT + SECOND
    assert unmet(clinic) == []
    assert found(unmet(clinic, late=timedelta(0))) == {"a missed appointment was not marked as no-show"}


@pytest.mark.parametrize("kind", ["cancel", "reschedule"])
def test_a_deadline_of_an_ended_appointment_is_not_due(kind: str) -> None:
    clinic = FaultlessClinic()
    booked = clinic.book(ANN, ADA, ELEVEN)
    clinic.change(ANN, kind, booked, MONDAY.replace(hour=17) if kind == "reschedule" else None)
    clinic.now = NOON
    assert due_deadlines.due_deadlines(clinic.record(), MINUTE) == []


def test_a_booking_less_than_three_hours_ahead_needs_no_reminder() -> None:
    clinic = FaultlessClinic()
    clinic.now = REMINDED_AT + MINUTE
    clinic.book(ANN, ADA, ELEVEN)
    clinic.now = MISSED_AT
    assert due_deadlines.due_deadlines(clinic.record(), timedelta(0)) == []


def evidence(clinic: FaultlessClinic, **changed: object) -> TextEvidence:
    """Return an outbox with the reminder, which was delivered two seconds later."""
    (appointment,) = clinic.appointments
    text = Text(
        id=text_id(ADA.id, 2, ANN.id),
        kind="reminder",
        line="patient",
        user_id=ANN.id,
        phone="+12025550100",
        appointment_id=appointment.id,
        doctor_id=ADA.id,
        seq=2,
        version=2,
        start=ELEVEN,
        body="-",
        status=TextStatus.SENT,
        not_before=REMINDED_AT,
        useless_after=ELEVEN,
        created_at=REMINDED_AT,
        updated_at=REMINDED_AT,
    ).model_copy(update=changed)
    accepted = [AcceptedText(text.id, REMINDED_AT + 2 * SECOND)]
    return TextEvidence({text.id: text}, accepted, settled=NOON, given_up=NOON - MINUTE, in_transit=MINUTE)


def judged(record: Record, given: TextEvidence) -> set[str]:
    return {
        what
        for look in (text_deliveries.undelivered, text_deliveries.duplicates, text_deliveries.too_late)
        for what in found(look(record, given))
    }


def test_a_reminder_delivered_once_breaks_no_promise() -> None:
    clinic = a_visit()
    assert judged(clinic.record(), evidence(clinic)) == set()


def test_an_undelivered_reminder_is_reported_unless_it_was_obsolete() -> None:
    clinic = a_visit()
    lost = replace(evidence(clinic), accepted=[])
    assert judged(clinic.record(), lost) == {"a reminder was not delivered: sent"}
    assert judged(clinic.record(), replace(lost, texts={})) == {"a reminder was not put into the outbox"}
    skipped = replace(evidence(clinic, status=TextStatus.SKIPPED, reason="over"), accepted=[])
    assert judged(clinic.record(), skipped) == set()
    late = replace(evidence(clinic, status=TextStatus.SKIPPED, reason="too_late"), accepted=[])
    assert judged(clinic.record(), late) == {"a reminder was not delivered: skipped too_late"}


def test_a_text_with_an_unknown_result_is_reported_after_the_time_to_find_out() -> None:
    clinic = a_visit()
    dark = replace(evidence(clinic, status=TextStatus.UNKNOWN), accepted=[])
    assert judged(clinic.record(), dark) == {"a reminder was not delivered: unknown"}
    assert judged(clinic.record(), replace(dark, given_up=REMINDED_AT)) == set()
    assert [text.status for text in text_deliveries.unresolved(dark)] == [TextStatus.UNKNOWN]


def test_a_second_delivery_and_an_unknown_text_are_reported() -> None:
    clinic = a_visit()
    once = evidence(clinic)
    assert judged(clinic.record(), replace(once, accepted=[*once.accepted] * 2)) == {"a reminder was delivered twice"}
    strange = replace(once, accepted=[*once.accepted, AcceptedText("another", NOON)])
    assert judged(clinic.record(), strange) == {"a text was delivered without a reason in the record"}


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (ELEVEN, {"a reminder was delivered after the start"}),
        (REMINDED_AT + 5 * MINUTE, {"a reminder was delivered after the appointment was cancelled or moved"}),
        (REMINDED_AT + 2 * MINUTE, set()),
    ],
)
def test_a_reminder_after_the_start_or_the_cancellation_is_reported(at: datetime, says: set[str]) -> None:
    clinic = a_visit(missed=False)
    (appointment,) = clinic.appointments
    given = evidence(clinic)
    clinic.now = REMINDED_AT + 2 * MINUTE
    booked = next(exchange.answer for exchange in clinic.history.exchanges())
    clinic.change(ANN, "cancel", booked)
    clinic.now = NOON
    (text,) = given.texts
    assert judged(clinic.record(), replace(given, accepted=[AcceptedText(text, at)])) == says
    assert apply_all(None, appointment.history) == appointment
