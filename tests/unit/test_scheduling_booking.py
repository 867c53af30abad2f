"""Who may take which slot, and when."""

from datetime import datetime, timedelta

import pytest

from hub.scheduling.decide import decide
from hub.scheduling.decision import RefusalCode
from hub.scheduling.values import Actor
from tests.unit.clinic_examples import (
    BERLIN,
    DOCTOR,
    HUB,
    MONDAY,
    NOW,
    OTHER_DOCTOR,
    OTHER_PATIENT,
    PATIENT,
    RECEPTIONIST,
    START,
    after,
    arrangement,
    book,
    booked,
    change,
    free,
    only,
    verdict,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

STARTS = {
    "a free slot can be booked": (START, "booked"),
    "the first slot of a shift can be booked": (MONDAY + 7 * HOUR, "booked"),
    "the last slot of a shift can be booked": (MONDAY + 14 * HOUR + 30 * MINUTE, "booked"),
    "not before the shift": (MONDAY + 6 * HOUR + 30 * MINUTE, RefusalCode.OUTSIDE_HOURS),
    "not at the end of the shift": (MONDAY + 15 * HOUR, RefusalCode.OUTSIDE_HOURS),
    "not in the lunch break": (MONDAY + 10 * HOUR, RefusalCode.OUTSIDE_HOURS),
    "not at the weekend": (START + 5 * DAY, RefusalCode.OUTSIDE_HOURS),
    "not in the doctor's time off": (MONDAY + DAY + 7 * HOUR + 30 * MINUTE, RefusalCode.OUTSIDE_HOURS),
    "again from the end of the time off": (MONDAY + DAY + 8 * HOUR, "booked"),
    "not at a quarter past": (START + 15 * MINUTE, RefusalCode.OFF_GRID),
    "not a second after the half hour": (START + timedelta(seconds=1), RefusalCode.OFF_GRID),
    "not yesterday": (START - DAY, RefusalCode.IN_THE_PAST),
    "not at this very moment": (NOW, RefusalCode.IN_THE_PAST),
}


@pytest.mark.parametrize(("start", "expected"), STARTS.values(), ids=STARTS)
def test_one_books_a_half_hour_of_the_doctors_working_time_in_the_future(start: datetime, expected: str) -> None:
    assert verdict(decide(free(), book(start), NOW)) == expected


def test_one_books_up_to_366_days_ahead() -> None:
    assert verdict(decide(free(), book(START), START - 366 * DAY)) == "booked"
    assert verdict(decide(free(), book(START), START - 366 * DAY - MINUTE)) is RefusalCode.TOO_FAR_AHEAD


BOOKERS = {
    "patients book for themselves": (PATIENT, "booked"),
    "not for others": (OTHER_PATIENT, RefusalCode.FORBIDDEN),
    "doctors book in their own calendar": (DOCTOR, "booked"),
    "not in that of others": (OTHER_DOCTOR, RefusalCode.FORBIDDEN),
    "receptionists book for anybody": (RECEPTIONIST, "booked"),
    "the hub books for anybody": (HUB, "booked"),
}


@pytest.mark.parametrize(("by", "expected"), BOOKERS.values(), ids=BOOKERS)
def test_who_may_book(by: Actor, expected: str) -> None:
    assert verdict(decide(free(), book(by=by), NOW)) == expected


def test_a_taken_slot_is_refused_to_everybody() -> None:
    again = book(by=OTHER_PATIENT, patient_id="bob", key="second")
    assert verdict(decide(booked(), again, NOW)) is RefusalCode.SLOT_TAKEN
    assert verdict(decide(booked(), book(by=DOCTOR, key="second"), NOW)) is RefusalCode.SLOT_TAKEN


@pytest.mark.parametrize("kind", ["cancel", "reschedule"])
def test_a_slot_that_was_given_up_can_be_booked(kind: str) -> None:
    given_up = after(booked(), change(kind), NOW)
    assert verdict(decide(given_up, book(by=OTHER_PATIENT, patient_id="bob", key="second"), NOW)) == "booked"


def test_a_disabled_doctor_takes_no_new_appointments_but_keeps_the_old_ones() -> None:
    gone = BERLIN.model_copy(update={"disabled": True})
    assert verdict(decide(free(gone), book(), NOW)) is RefusalCode.DOCTOR_UNAVAILABLE
    left_behind = after(booked(), arrangement("disable"), NOW)
    assert verdict(decide(left_behind, change("reschedule"), NOW)) is RefusalCode.DOCTOR_UNAVAILABLE
    assert verdict(decide(left_behind, change("cancel"), NOW)) == "cancelled"


def test_a_booking_makes_a_scheduled_half_hour_with_the_id_of_its_command() -> None:
    appointment = only(after(free(), book(reason="cough"), NOW))
    assert appointment.id == "booking"
    assert (appointment.start, appointment.end) == (START, START + 30 * MINUTE)
    assert (appointment.status, appointment.version, appointment.reason) == ("scheduled", 1, "cough")
    assert appointment.created_at == NOW
    assert appointment.last.by == PATIENT


REPEATS = {
    "the same command again is answered with what it did": ({}, "booked"),
    "through another channel it is the same command": ({"by": PATIENT.model_copy(update={"via": "socket"})}, "booked"),
    "sent later it is the same command": ({"at": NOW + HOUR, "expires": NOW + HOUR}, "booked"),
    "with another start it is not": ({"start": START + HOUR}, RefusalCode.IDEMPOTENCY_KEY_REUSED),
    "with another reason it is not": ({"reason": "fever"}, RefusalCode.IDEMPOTENCY_KEY_REUSED),
    "for another patient it is not": ({"patient_id": "bob"}, RefusalCode.IDEMPOTENCY_KEY_REUSED),
    "from somebody else it is not": ({"by": DOCTOR}, RefusalCode.IDEMPOTENCY_KEY_REUSED),
}


@pytest.mark.parametrize(("differs", "expected"), REPEATS.values(), ids=REPEATS)
def test_a_command_id_that_was_applied_stands_for_what_was_asked_then(
    differs: dict[str, object], expected: str
) -> None:
    again = book().model_copy(update=differs)
    assert verdict(decide(booked(), again, NOW + 2 * DAY)) == expected


def test_the_id_of_a_booking_cannot_be_used_for_a_change() -> None:
    assert verdict(decide(booked(), change("cancel", key="booking"), NOW)) is RefusalCode.IDEMPOTENCY_KEY_REUSED


def test_a_command_is_carried_out_until_it_expires() -> None:
    waiting = book(expires=NOW + MINUTE)
    assert verdict(decide(free(), waiting, NOW + MINUTE)) == "booked"
    assert verdict(decide(free(), waiting, NOW + MINUTE + timedelta(milliseconds=1))) is RefusalCode.EXPIRED
