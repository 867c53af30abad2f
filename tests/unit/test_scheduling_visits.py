"""The visit: who may check in, call in and undo, when, from which step, and what becomes of the deadline."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.scheduling.decide import decide
from hub.scheduling.decision import RefusalCode
from hub.scheduling.schedule import Schedule
from hub.scheduling.slots import slot_changes
from hub.scheduling.values import Actor
from hub.scheduling.views import view
from tests.people import ROUND_THE_CLOCK
from tests.unit.clinic_examples import (
    BERLIN,
    DOCTOR,
    HUB,
    NOW,
    OTHER_DOCTOR,
    OTHER_PATIENT,
    PATIENT,
    START,
    after,
    book,
    booked,
    change,
    free,
    only,
    standing,
    verdict,
)

HOUR, MINUTE, INSTANT = timedelta(hours=1), timedelta(minutes=1), timedelta(milliseconds=1)
NO = RefusalCode.WRONG_STATUS
NO_SHOW_DUE = (START + 15 * MINUTE, "no_show")

STEPS: dict[str, dict[str, str]] = {
    "scheduled": {"check_in": "checked_in", "call_in": NO, "undo_visit": NO},
    "confirmed": {"check_in": "checked_in", "call_in": NO, "undo_visit": NO},
    "arrived": {"check_in": NO, "call_in": "called_in", "undo_visit": "visit_undone"},
    "in_room": {"check_in": NO, "call_in": NO, "undo_visit": "visit_undone"},
    "no_show": {"check_in": "checked_in", "call_in": NO, "undo_visit": NO},
    "cancelled": {"check_in": NO, "call_in": NO, "undo_visit": NO},
    "completed": {"check_in": NO, "call_in": NO, "undo_visit": NO},
}


@pytest.mark.parametrize(
    ("standing_at", "kind", "expected"),
    [(step, kind, expected) for step, row in STEPS.items() for kind, expected in row.items()],
)
def test_which_step_is_possible_from_where(standing_at: str, kind: str, expected: str) -> None:
    assert verdict(decide(standing(standing_at), change(kind, by=DOCTOR), START + 20 * MINUTE)) == expected


OTHERS = {"confirm": "confirmed", "cancel": NO, "reschedule": NO, "complete": "completed"}


@pytest.mark.parametrize("step", ["arrived", "in_room"])
@pytest.mark.parametrize(("kind", "expected"), OTHERS.items())
def test_an_appointment_whose_patient_is_there_is_not_cancelled_or_moved(kind: str, expected: str, step: str) -> None:
    assert verdict(decide(standing(step), change(kind, by=DOCTOR), START - 5 * MINUTE)) == expected


def test_after_the_check_in_is_undone_it_can_be_cancelled_and_moved() -> None:
    undone = after(standing("arrived"), change("undo_visit", by=DOCTOR, key="undo"), START - 15 * MINUTE)
    assert verdict(decide(undone, change("cancel"), START - 5 * MINUTE)) == "cancelled"
    assert verdict(decide(undone, change("reschedule"), START - 5 * MINUTE)) == "rescheduled"


@pytest.mark.parametrize("kind", ["check_in", "call_in", "undo_visit"])
@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (PATIENT, RefusalCode.FORBIDDEN),
        (OTHER_PATIENT, RefusalCode.NOT_FOUND),
        (OTHER_DOCTOR, RefusalCode.NOT_FOUND),
        (HUB, None),
        (DOCTOR, None),
    ],
    ids=["the patient", "another patient", "another doctor", "the hub", "the doctor"],
)
def test_the_clinic_says_where_a_patient_is(kind: str, by: Actor, expected: RefusalCode | None) -> None:
    state = booked() if kind == "check_in" else standing("arrived")
    allowed = {"check_in": "checked_in", "call_in": "called_in", "undo_visit": "visit_undone"}[kind]
    assert verdict(decide(state, change(kind, by=by), START - 5 * MINUTE)) == (expected or allowed)


END_OF_DAY = START.replace(hour=22)
"""Midnight in Berlin."""
ARRIVALS = {
    "three hours before the start": (START - 3 * HOUR, "checked_in"),
    "not earlier": (START - 3 * HOUR - INSTANT, RefusalCode.TOO_EARLY),
    "not on the day before": (START - 24 * HOUR, RefusalCode.TOO_EARLY),
    "late": (START + 4 * HOUR, "checked_in"),
    "until the day is over by the doctor's clock": (END_OF_DAY - INSTANT, "checked_in"),
    "not on the next day": (END_OF_DAY, RefusalCode.IN_THE_PAST),
}


@pytest.mark.parametrize("status", ["scheduled", "confirmed", "no_show"])
@pytest.mark.parametrize(("now", "expected"), ARRIVALS.values(), ids=ARRIVALS)
def test_when_a_patient_can_be_checked_in(now: datetime, expected: str, status: str) -> None:
    state = free() if now < NOW else standing(status)
    state = after(state, book(), now - 24 * HOUR) if now < NOW else state
    assert verdict(decide(state, change("check_in", by=DOCTOR), now)) == expected


def test_the_day_of_a_visit_is_the_one_of_the_start_though_the_lead_reaches_into_the_day_before() -> None:
    doctor = Schedule(id="berlin", zone="Europe/Berlin", shifts=ROUND_THE_CLOCK)
    half_past_midnight = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    state = after(free(doctor), book(half_past_midnight), NOW)
    assert verdict(decide(state, change("check_in", by=DOCTOR), half_past_midnight - 2 * HOUR)) == "checked_in"
    assert verdict(decide(state, change("check_in", by=DOCTOR), half_past_midnight + 23 * HOUR)) == "checked_in"


def test_a_day_of_25_hours_is_a_long_day_to_come() -> None:
    doctor = Schedule(id="berlin", zone="Europe/Berlin", shifts=ROUND_THE_CLOCK)
    first_slot = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # midnight of the day on which summer time ends
    state = after(free(doctor), book(first_slot), first_slot - HOUR)
    assert verdict(decide(state, change("check_in", by=DOCTOR), first_slot + 25 * HOUR - INSTANT)) == "checked_in"
    assert verdict(decide(state, change("check_in", by=DOCTOR), first_slot + 25 * HOUR)) is RefusalCode.IN_THE_PAST


def test_the_instants_of_a_visit_are_those_of_its_events() -> None:
    done = only(after(standing("in_room"), change("complete", by=DOCTOR), START + 10 * MINUTE))
    shown = view(done)
    assert (shown.visit, shown.status) == ("in_room", "completed")
    instants = (shown.arrived_at, shown.in_room_at, shown.completed_at)
    assert instants == (START - 20 * MINUTE, START - 10 * MINUTE, START + 10 * MINUTE)


def test_a_booking_has_no_visit() -> None:
    shown = view(only(booked()))
    assert (shown.visit, shown.arrived_at, shown.in_room_at, shown.completed_at) == (None, None, None, None)


def test_a_completion_without_a_visit_has_its_instant_too() -> None:
    shown = view(only(standing("completed")))
    assert (shown.visit, shown.completed_at) == (None, START - 30 * MINUTE)


@pytest.mark.parametrize("status", ["scheduled", "confirmed"])
def test_a_check_in_leaves_the_status_as_it_is(status: str) -> None:
    assert only(after(standing(status), change("check_in", by=DOCTOR), START)).status == status


@pytest.mark.parametrize("step", ["arrived", "in_room"])
def test_a_patient_who_has_arrived_does_not_become_a_no_show(step: str) -> None:
    state = standing(step)
    assert (only(state).due, only(state).due_kind) == (None, None)
    assert verdict(decide(state, change("mark_no_show"), START + HOUR)) is NO


def test_a_patient_who_has_arrived_is_not_reminded_any_more() -> None:
    arrived = after(booked(), change("check_in", by=DOCTOR, key="arrival"), START - 3 * HOUR)
    assert verdict(decide(arrived, change("remind"), START - 2 * HOUR)) is NO
    left = after(arrived, change("undo_visit", by=DOCTOR, key="undo"), START - 2 * HOUR)
    assert verdict(decide(left, change("remind"), START - HOUR)) is NO
    assert (only(left).due, only(left).due_kind) == NO_SHOW_DUE


def test_a_call_into_the_room_is_undone_to_the_arrival() -> None:
    arrived = only(after(standing("in_room"), change("undo_visit", by=DOCTOR), START))
    assert (arrived.visit, arrived.arrived_at, arrived.in_room_at) == ("arrived", START - 20 * MINUTE, None)
    assert arrived.due is None


@pytest.mark.parametrize("now", [START - 15 * MINUTE, START + HOUR], ids=["before", "after"])
def test_when_the_patient_leaves_again_the_no_show_is_due_at_its_time(now: datetime) -> None:
    left = after(standing("arrived"), change("undo_visit", by=DOCTOR, key="undo"), now)
    appointment = only(left)
    assert (appointment.visit, appointment.arrived_at, appointment.status) == (None, None, "scheduled")
    assert (appointment.due, appointment.due_kind) == NO_SHOW_DUE
    assert verdict(decide(left, change("mark_no_show"), START + HOUR)) == "no_show"


def test_a_patient_who_comes_late_is_confirmed_again_and_holds_the_slot() -> None:
    back = after(standing("no_show"), change("check_in", by=DOCTOR), START + 40 * MINUTE)
    appointment = only(back)
    assert (appointment.status, appointment.visit, appointment.due) == ("confirmed", "arrived", None)
    assert back.slot_owners == {START: "booking"}
    assert slot_changes(BERLIN, appointment.last, appointment) == ()


def test_a_no_show_that_was_checked_in_by_mistake_is_a_no_show_again() -> None:
    back = after(standing("no_show"), change("check_in", by=DOCTOR, key="arrival"), START + 40 * MINUTE)
    left = after(back, change("undo_visit", by=DOCTOR, key="undo"), START + 41 * MINUTE)
    assert verdict(decide(left, change("mark_no_show", key="again"), START + 41 * MINUTE)) == "no_show"


def test_a_no_show_does_not_get_back_a_slot_that_somebody_else_has() -> None:
    """Another machine, whose clock was slow, has booked the half hour for a patient who walked in."""
    missed = standing("no_show")
    taken = after(missed, book(by=DOCTOR, key="walk-in", patient_id="bob"), START + 14 * MINUTE)
    assert verdict(decide(taken, change("check_in", by=DOCTOR), START + 16 * MINUTE)) is RefusalCode.SLOT_TAKEN
    elsewhere = replace(taken, slot_owners={START + HOUR: "walk-in"})
    assert verdict(decide(elsewhere, change("check_in", by=DOCTOR), START + 16 * MINUTE)) == "checked_in"


@pytest.mark.parametrize("now", [START - 3 * HOUR, START - 31 * MINUTE])
def test_a_patient_who_was_called_in_early_can_be_done_early(now: datetime) -> None:
    arrived = after(booked(), change("check_in", by=DOCTOR, key="arrival"), START - 3 * HOUR)
    assert verdict(decide(arrived, change("complete", by=DOCTOR), now)) is RefusalCode.TOO_EARLY
    in_room = after(arrived, change("call_in", by=DOCTOR, key="call"), START - 3 * HOUR)
    assert verdict(decide(in_room, change("complete", by=DOCTOR), now)) == "completed"


@pytest.mark.parametrize(
    ("step", "kind"), [("scheduled", "check_in"), ("arrived", "call_in"), ("in_room", "undo_visit")]
)
def test_the_same_step_again_is_answered_with_what_it_did(step: str, kind: str) -> None:
    command = change(kind, by=DOCTOR)
    done = after(standing(step), command, START)
    again = decide(done, command, START + HOUR)
    assert verdict(again) == only(done).last.type
    assert verdict(decide(done, change("complete", by=DOCTOR), START)) is RefusalCode.IDEMPOTENCY_KEY_REUSED


WALK_INS = {
    "at the start": (START, "booked"),
    "until 15 minutes after it": (START + 15 * MINUTE - INSTANT, "booked"),
    "not later": (START + 15 * MINUTE, RefusalCode.IN_THE_PAST),
    "not the half hour before": (START + 31 * MINUTE, RefusalCode.IN_THE_PAST),
}


@pytest.mark.parametrize(("now", "expected"), WALK_INS.values(), ids=WALK_INS)
def test_a_doctor_books_the_running_half_hour_for_a_patient_who_walks_in(now: datetime, expected: str) -> None:
    assert verdict(decide(free(), book(by=DOCTOR), now)) == expected


@pytest.mark.parametrize("by", [PATIENT, HUB], ids=["a patient", "the hub"])
def test_nobody_else_books_the_running_half_hour(by: Actor) -> None:
    assert verdict(decide(free(), book(by=by), START + MINUTE)) is RefusalCode.IN_THE_PAST


def test_a_walk_in_gets_no_reminder_and_the_usual_no_show() -> None:
    walk_in = only(after(free(), book(by=DOCTOR), START + 14 * MINUTE))
    assert (walk_in.due, walk_in.due_kind) == NO_SHOW_DUE


def test_a_walk_in_takes_a_free_half_hour_of_a_doctor_who_works() -> None:
    now = START + MINUTE
    assert verdict(decide(booked(), book(by=DOCTOR, key="walk-in"), now)) is RefusalCode.SLOT_TAKEN
    evening = START.replace(hour=16)
    assert verdict(decide(free(), book(evening, by=DOCTOR), evening + MINUTE)) is RefusalCode.OUTSIDE_HOURS


def test_an_appointment_is_not_moved_into_the_running_half_hour() -> None:
    moving = change("reschedule", by=DOCTOR, start=START - HOUR)
    assert verdict(decide(booked(), moving, START - 59 * MINUTE)) is RefusalCode.IN_THE_PAST
