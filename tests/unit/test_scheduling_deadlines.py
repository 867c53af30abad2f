"""The reminder and the no-show: when they are due, when they are too late, and who says so."""

from datetime import datetime, timedelta

import pytest

from hub.scheduling.decide import decide
from hub.scheduling.decision import RefusalCode
from hub.scheduling.values import Actor
from tests.unit.clinic_examples import (
    DOCTOR,
    NOW,
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
REMINDER, NO_SHOW, NONE = (START - 3 * HOUR, "reminder"), (START + 15 * MINUTE, "no_show"), (None, None)

BOOKED_AT = {
    "a day ahead": (START - 24 * HOUR, REMINDER),
    "three hours ahead": (START - 3 * HOUR, REMINDER),
    "less than three hours ahead": (START - 3 * HOUR + INSTANT, NO_SHOW),
    "at the last moment": (START - INSTANT, NO_SHOW),
}


@pytest.mark.parametrize(("at", "expected"), BOOKED_AT.values(), ids=BOOKED_AT)
def test_a_booking_is_followed_by_a_reminder_unless_it_is_for_the_next_three_hours(
    at: datetime, expected: tuple[datetime, str]
) -> None:
    appointment = only(after(free(), book(), at))
    assert (appointment.due, appointment.due_kind) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("scheduled", REMINDER), ("confirmed", REMINDER), ("cancelled", NONE), ("completed", NONE), ("no_show", NONE)],
)
def test_only_an_active_appointment_has_a_deadline(status: str, expected: tuple[datetime | None, str | None]) -> None:
    appointment = only(standing(status))
    assert (appointment.due, appointment.due_kind) == expected


def test_after_the_reminder_the_no_show_is_due() -> None:
    reminded = only(after(booked(), change("remind"), START - 3 * HOUR))
    assert (reminded.due, reminded.due_kind) == NO_SHOW
    assert reminded.status == "scheduled"


def test_a_moved_appointment_is_reminded_of_anew() -> None:
    reminded = after(booked(), change("remind", key="first"), START - 3 * HOUR)
    moved = only(after(reminded, change("reschedule", start=START + 24 * HOUR), START - 2 * HOUR))
    assert (moved.due, moved.due_kind) == (START + 21 * HOUR, "reminder")


DEADLINES = {
    "a reminder three hours before the start": ("remind", START - 3 * HOUR, "reminded"),
    "not earlier": ("remind", START - 3 * HOUR - INSTANT, RefusalCode.TOO_EARLY),
    "a late one until half an hour before the start": ("remind", START - 30 * MINUTE, "reminded"),
    "a later one is of no use": ("remind", START - 30 * MINUTE + INSTANT, "reminder_missed"),
    "none after the start": ("remind", START + HOUR, "reminder_missed"),
    "missed 15 minutes after the start": ("mark_no_show", START + 15 * MINUTE, "no_show"),
    "not missed before": ("mark_no_show", START + 15 * MINUTE - INSTANT, RefusalCode.TOO_EARLY),
    "missed however late the hub notices": ("mark_no_show", START + 1000 * HOUR, "no_show"),
}


@pytest.mark.parametrize(("kind", "now", "expected"), DEADLINES.values(), ids=DEADLINES)
def test_what_a_deadline_does_at_which_time(kind: str, now: datetime, expected: str) -> None:
    assert verdict(decide(booked(), change(kind), now)) == expected


@pytest.mark.parametrize("kind", ["remind", "mark_no_show"])
@pytest.mark.parametrize("status", ["cancelled", "completed", "no_show"])
def test_nothing_is_due_of_an_appointment_that_is_over(kind: str, status: str) -> None:
    assert verdict(decide(standing(status), change(kind), START + HOUR)) is RefusalCode.WRONG_STATUS


@pytest.mark.parametrize("kind", ["remind", "mark_no_show"])
def test_a_deadline_that_was_set_for_another_start_does_nothing(kind: str) -> None:
    moved = after(booked(), change("reschedule", key="move", start=START + HOUR), NOW)
    assert verdict(decide(moved, change(kind), START + 30 * MINUTE)) is RefusalCode.WRONG_STATUS


def test_a_patient_is_reminded_once() -> None:
    reminded = after(booked(), change("remind", key="first"), START - 3 * HOUR)
    assert verdict(decide(reminded, change("remind", key="second"), START - 2 * HOUR)) is RefusalCode.WRONG_STATUS


@pytest.mark.parametrize("kind", ["remind", "mark_no_show"])
@pytest.mark.parametrize("by", [PATIENT, DOCTOR], ids=["patient", "doctor"])
def test_only_the_hub_says_that_a_deadline_is_due(kind: str, by: Actor) -> None:
    assert verdict(decide(booked(), change(kind, by=by), START + HOUR)) is RefusalCode.FORBIDDEN
