"""Who may change an appointment, from which status, and when."""

from datetime import datetime, timedelta

import pytest

from hub.scheduling.apply import apply, apply_all
from hub.scheduling.decide import decide, repeated
from hub.scheduling.decision import RefusalCode
from hub.scheduling.values import Actor
from tests.unit.clinic_examples import (
    DOCTOR,
    HUB,
    NOW,
    OTHER_DOCTOR,
    OTHER_PATIENT,
    PATIENT,
    RECEPTIONIST,
    START,
    after,
    book,
    booked,
    change,
    only,
    standing,
    verdict,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NO = RefusalCode.WRONG_STATUS

STATUSES: dict[str, dict[str, str]] = {
    "scheduled": {"confirm": "confirmed", "cancel": "cancelled", "complete": "completed", "reschedule": "rescheduled"},
    "confirmed": {"confirm": NO, "cancel": "cancelled", "complete": "completed", "reschedule": "rescheduled"},
    "cancelled": {"confirm": NO, "cancel": NO, "complete": NO, "reschedule": NO},
    "completed": {"confirm": NO, "cancel": NO, "complete": NO, "reschedule": NO},
    "no_show": {"confirm": NO, "cancel": NO, "complete": "completed", "reschedule": NO},
}


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [(status, kind, expected) for status, row in STATUSES.items() for kind, expected in row.items()],
)
def test_which_change_is_possible_from_which_status(status: str, kind: str, expected: str) -> None:
    now = START - MINUTE  # late enough to complete, early enough for the rest
    assert verdict(decide(standing(status), change(kind, by=DOCTOR), now)) == expected


EVERYTHING = STATUSES["scheduled"]
NOTHING: dict[str, str] = dict.fromkeys(EVERYTHING, RefusalCode.NOT_FOUND)
PEOPLE: dict[str, tuple[Actor, dict[str, str]]] = {
    "the patient": (PATIENT, EVERYTHING | {"complete": RefusalCode.FORBIDDEN}),
    "the doctor": (DOCTOR, EVERYTHING),
    "a receptionist": (RECEPTIONIST, EVERYTHING),
    "the hub": (HUB, EVERYTHING),
    "another patient": (OTHER_PATIENT, NOTHING),
    "another doctor": (OTHER_DOCTOR, NOTHING),
}


@pytest.mark.parametrize(
    ("who", "kind", "expected"),
    [(who, kind, expected) for who, (_, row) in PEOPLE.items() for kind, expected in row.items()],
)
def test_who_may_do_what(who: str, kind: str, expected: str) -> None:
    by, _ = PEOPLE[who]
    assert verdict(decide(booked(), change(kind, by=by), START - MINUTE)) == expected


def test_an_appointment_that_does_not_exist_looks_like_one_of_others() -> None:
    missing = decide(booked(), change("cancel", appointment_id="nothing"), NOW)
    assert missing == decide(booked(), change("cancel", by=OTHER_PATIENT), NOW)


TIMES = {
    "cancel until the start": ("cancel", START - MINUTE, "cancelled"),
    "not from the start on": ("cancel", START, RefusalCode.IN_THE_PAST),
    "move until the start": ("reschedule", START - MINUTE, "rescheduled"),
    "not from the start on any more": ("reschedule", START, RefusalCode.IN_THE_PAST),
    "complete from 30 minutes before the start": ("complete", START - 30 * MINUTE, "completed"),
    "not earlier": ("complete", START - 31 * MINUTE, RefusalCode.TOO_EARLY),
    "complete long after": ("complete", START + 30 * DAY, "completed"),
    "confirm early": ("confirm", NOW, "confirmed"),
    "confirm at the door": ("confirm", START + 5 * MINUTE, "confirmed"),
}


@pytest.mark.parametrize(("kind", "now", "expected"), TIMES.values(), ids=TIMES)
def test_when_a_change_is_possible(kind: str, now: datetime, expected: str) -> None:
    assert verdict(decide(booked(), change(kind, by=DOCTOR), now)) == expected


MOVES = {
    "to a free slot": (START + HOUR, "rescheduled"),
    "not to where it is": (START, RefusalCode.WRONG_STATUS),
    "not to a taken slot": (START + 2 * HOUR, RefusalCode.SLOT_TAKEN),
    "not outside the doctor's hours": (START + 6 * HOUR, RefusalCode.OUTSIDE_HOURS),
    "not off the half hour": (START + 15 * MINUTE, RefusalCode.OFF_GRID),
    "not into the past": (START - DAY, RefusalCode.IN_THE_PAST),
    "not beyond what one may book": (START + 400 * DAY, RefusalCode.TOO_FAR_AHEAD),
}


@pytest.mark.parametrize(("start", "expected"), MOVES.values(), ids=MOVES)
def test_an_appointment_moves_to_what_could_be_booked(start: datetime, expected: str) -> None:
    two = after(booked(), book(START + 2 * HOUR, key="second", by=DOCTOR), NOW)
    assert verdict(decide(two, change("reschedule", start=start), NOW)) == expected


def test_a_moved_appointment_is_the_same_one_and_has_to_be_confirmed_again() -> None:
    moved = only(after(standing("confirmed"), change("reschedule", start=START + DAY), NOW))
    assert (moved.id, moved.status, moved.version) == ("booking", "scheduled", 3)
    assert (moved.start, moved.end) == (START + DAY, START + DAY + 30 * MINUTE)
    assert moved.last.previous_start == START


def test_a_moved_appointment_gives_back_its_slot_and_holds_the_new_one() -> None:
    assert after(booked(), change("reschedule", start=START + DAY), NOW).slot_owners == {START + DAY: "booking"}


def test_a_patient_who_came_late_was_there_after_all() -> None:
    missed = standing("no_show")
    assert only(after(missed, change("complete", by=DOCTOR), START + 20 * MINUTE)).status == "completed"


@pytest.mark.parametrize("kind", ["confirm", "cancel", "complete", "reschedule"])
def test_the_same_change_again_is_answered_with_what_it_did(kind: str) -> None:
    command = change(kind, by=DOCTOR)
    done = after(booked(), command, START - MINUTE)
    again = decide(done, command, START + 10 * DAY)
    assert verdict(again) == only(done).last.type
    assert again.aggregate == only(done)


def test_events_count_up_per_doctor_and_each_names_the_one_before() -> None:
    two = after(after(booked(), book(START + HOUR, key="second"), NOW), change("confirm"), NOW)
    events = sorted((e for a in two.appointments.values() for e in a.history), key=lambda event: event.seq)
    assert [(event.prev, event.seq) for event in events] == [(0, 1), (1, 2), (2, 3)]
    assert two.seq == 3


def test_a_history_begins_with_its_only_booking() -> None:
    confirmed = only(standing("confirmed"))
    with pytest.raises(ValueError, match="begins with a booking"):
        apply_all(None, confirmed.history[1:])
    with pytest.raises(ValueError, match="booked once"):
        apply(confirmed, confirmed.history[0])
    with pytest.raises(ValueError, match="at least one event"):
        apply_all(None, [])


def test_the_id_of_a_change_cannot_be_used_for_another_change() -> None:
    confirmed = after(booked(), change("confirm", key="k"), NOW)
    assert verdict(decide(confirmed, change("cancel", key="k"), NOW)) is RefusalCode.IDEMPOTENCY_KEY_REUSED


def test_the_id_of_a_change_cannot_be_used_for_another_appointment() -> None:
    """The record finds where the id was applied; what it finds there is answered with `repeated`."""
    confirmed = only(after(booked(), change("confirm", key="k"), NOW))
    elsewhere = change("confirm", key="k", appointment_id="another")
    assert verdict(repeated(elsewhere, confirmed)) is RefusalCode.IDEMPOTENCY_KEY_REUSED
