"""A doctor's hours and time off: who may change them, what a change does, and what it leaves alone."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from hub.scheduling.apply import apply_all, as_of
from hub.scheduling.commands import CommandAdapter, fingerprint
from hub.scheduling.decide import decide
from hub.scheduling.decide_schedule import outside_hours
from hub.scheduling.decision import Accepted, RefusalCode, Refused, Repeated
from hub.scheduling.schedule import Shift, TimeOff
from hub.scheduling.schedule_record import ScheduleRecord, schedule_id, unchanged_schedule
from hub.scheduling.slots import schedule_slot_changes
from tests.unit.clinic_examples import (
    BERLIN,
    CLINIC,
    DOCTOR,
    HUB,
    MONDAY,
    NOW,
    OTHER_DOCTOR,
    OTHER_PATIENT,
    PATIENT,
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

HALF_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)
MORNINGS = tuple(Shift(weekday=day, opens=9 * 60, closes=12 * 60) for day in range(5))
MORNING = MONDAY.replace(hour=8)
"""10:00 in Berlin."""


def hours(key: str = "arrangement", shifts: tuple[Shift, ...] = MORNINGS, **more: object) -> object:
    return arrangement("change_hours", key=key, shifts=shifts, **more)


def away(key: str = "arrangement", **more: object) -> object:
    return arrangement("add_time_off", key=key, **{"start": START, "end": START + 2 * HALF_HOUR, **more})


def test_who_books_after_a_change_books_inside_the_new_hours() -> None:
    changed = after(free(), hours(), NOW)
    assert verdict(decide(changed, book(), NOW)) is RefusalCode.OUTSIDE_HOURS
    assert verdict(decide(changed, book(start=MORNING), NOW)) == "booked"
    back = after(changed, hours(key="back", shifts=BERLIN.shifts), NOW)
    assert verdict(decide(back, book(), NOW)) == "booked"


def test_nobody_moves_an_appointment_into_time_off() -> None:
    on_holiday = after(booked(), away(start=START + 2 * HALF_HOUR, end=START + 4 * HALF_HOUR), NOW)
    assert verdict(decide(on_holiday, change("reschedule"), NOW)) is RefusalCode.OUTSIDE_HOURS
    home = after(on_holiday, arrangement("remove_time_off", key="home", time_off_id="arrangement"), NOW)
    assert verdict(decide(home, change("reschedule"), NOW)) == "rescheduled"


def test_appointments_outside_the_new_hours_stay_and_are_named() -> None:
    changed = after(booked(), hours(), NOW)
    appointment = only(changed)
    assert appointment.status == "scheduled"
    assert changed.slot_owners == {START: "booking"}
    assert outside_hours(changed.schedule, [appointment], NOW) == [appointment]
    assert outside_hours(changed.schedule, [appointment], START) == []
    assert outside_hours(BERLIN, [appointment], NOW) == []
    cancelled = after(changed, change("cancel"), NOW)
    assert outside_hours(cancelled.schedule, [only(cancelled)], NOW) == []
    assert verdict(decide(changed, change("confirm"), NOW)) == "confirmed"


@pytest.mark.parametrize(
    ("by", "of_hours", "of_leaving"),
    [
        (DOCTOR, "hours_changed", RefusalCode.FORBIDDEN),
        (CLINIC, "hours_changed", "disabled"),
        (HUB, "hours_changed", "disabled"),
        (OTHER_DOCTOR, RefusalCode.FORBIDDEN, RefusalCode.FORBIDDEN),
        (PATIENT, RefusalCode.FORBIDDEN, RefusalCode.FORBIDDEN),
        (OTHER_PATIENT, RefusalCode.FORBIDDEN, RefusalCode.FORBIDDEN),
    ],
)
def test_doctors_change_their_own_hours_and_the_clinic_says_who_works_there(
    by: object, of_hours: str, of_leaving: str
) -> None:
    assert verdict(decide(free(), hours(by=by), NOW)) == of_hours
    assert verdict(decide(free(), arrangement("disable", by=by), NOW)) == of_leaving


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"start": START + timedelta(minutes=10)}, RefusalCode.OFF_GRID),
        ({"end": START + timedelta(minutes=40)}, RefusalCode.OFF_GRID),
        ({"start": NOW - DAY, "end": NOW}, RefusalCode.IN_THE_PAST),
        ({"start": NOW - DAY, "end": NOW + HALF_HOUR}, "time_off_added"),
    ],
)
def test_time_off_is_on_half_hours_and_not_over(more: dict[str, object], code: str) -> None:
    assert verdict(decide(free(), away(**more), NOW)) == code


def test_time_off_has_the_id_of_its_command_and_goes_by_it() -> None:
    on_holiday = after(free(), away(note="Dentist"), NOW)
    (before, added) = on_holiday.schedule.time_off
    assert added == TimeOff(id="arrangement", start=START, end=START + 2 * HALF_HOUR, note="Dentist")
    assert before.id == "20260602T0700Z"
    gone = arrangement("remove_time_off", key="gone", time_off_id=before.id)
    assert after(on_holiday, gone, NOW).schedule.time_off == (added,)
    again = arrangement("remove_time_off", key="again", time_off_id=before.id)
    assert verdict(decide(after(on_holiday, gone, NOW), again, NOW)) is RefusalCode.NOT_FOUND


def test_a_doctor_leaves_once_and_comes_back_once() -> None:
    assert verdict(decide(free(), arrangement("enable"), NOW)) is RefusalCode.WRONG_STATUS
    gone = after(free(), arrangement("disable"), NOW)
    assert verdict(decide(gone, book(), NOW)) is RefusalCode.DOCTOR_UNAVAILABLE
    assert verdict(decide(gone, arrangement("disable", key="again"), NOW)) is RefusalCode.WRONG_STATUS
    assert verdict(decide(after(gone, arrangement("enable", key="back"), NOW), book(), NOW)) == "booked"


@pytest.mark.parametrize(
    "other",
    [
        hours(shifts=MORNINGS[:1]),
        away(),
        arrangement("disable"),
        hours(by=CLINIC),
    ],
)
def test_a_change_is_applied_once_and_its_id_serves_for_nothing_else(other: object) -> None:
    changed = after(free(), hours(), NOW)
    late = NOW + DAY
    assert decide(changed, hours(expires=NOW), late) == Repeated(
        changed.schedule_record, changed.schedule_record.history
    )
    assert verdict(decide(changed, other, late)) is RefusalCode.IDEMPOTENCY_KEY_REUSED


def test_a_change_that_waited_too_long_is_not_made() -> None:
    assert verdict(decide(free(), hours(expires=NOW), NOW + DAY)) is RefusalCode.EXPIRED


@pytest.mark.parametrize(
    "other",
    [
        away(note="Dentist"),
        away(end=START + 3 * HALF_HOUR),
        away(start=START - HALF_HOUR),
        hours(shifts=()),
        arrangement("remove_time_off", time_off_id="x"),
        arrangement("disable"),
        arrangement("enable"),
    ],
)
def test_what_is_asked_makes_another_fingerprint(other: object) -> None:
    same = CommandAdapter.validate_json(CommandAdapter.dump_json(away(), by_alias=True))
    assert fingerprint(same) == fingerprint(away())
    assert fingerprint(other) not in {fingerprint(away()), fingerprint(hours())}


def test_a_command_for_time_off_that_ends_before_it_begins_cannot_be_read() -> None:
    with pytest.raises(ValidationError):
        away(end=START)


def test_events_of_hours_have_their_place_among_those_of_appointments() -> None:
    calendar = after(after(booked(), hours(), NOW), change("cancel"), NOW)
    assert [(event.seq, event.prev) for event in calendar.schedule_record.history] == [(2, 1)]
    assert (only(calendar).last.seq, only(calendar).last.prev) == (3, 2)


def test_folding_the_history_gives_the_timetable_and_its_state_at_every_point() -> None:
    calendar = after(after(after(booked(), hours(), NOW), away(key="off"), NOW), arrangement("disable", key="x"), NOW)
    schedule_record = calendar.schedule_record
    assert apply_all(unchanged_schedule(BERLIN), schedule_record.history) == schedule_record
    assert schedule_record.version == 3
    assert as_of(schedule_record, 1).current == BERLIN == as_of(unchanged_schedule(BERLIN), 99).current
    assert (as_of(schedule_record, 2).current.shifts, as_of(schedule_record, 2).current.time_off) == (
        MORNINGS,
        BERLIN.time_off,
    )
    assert len(as_of(schedule_record, 3).current.time_off) == 2
    assert as_of(schedule_record, 3).current.disabled is False
    assert as_of(schedule_record, 4).current == schedule_record.current
    assert ScheduleRecord.model_validate_json(schedule_record.model_dump_json(by_alias=True)) == schedule_record


def test_watchers_are_told_of_slots_that_appear_and_go_and_of_no_others() -> None:
    later = BERLIN.model_copy(update={"shifts": (Shift(weekday=0, opens=13 * 60, closes=18 * 60),)})
    held = {START, MONDAY.replace(hour=8), MONDAY.replace(hour=15)}
    told = schedule_slot_changes(BERLIN, later, MONDAY.date(), held, NOW)
    assert {change.start.strftime("%H:%M"): change.available for change in told} == {
        "07:00": False,
        "07:30": False,
        "08:30": False,  # not 08:00: it was not available before
        "09:00": False,
        "09:30": False,
        "15:00": False,  # new, and held
        "15:30": True,
    }
    gone = BERLIN.model_copy(update={"disabled": True})
    assert len(schedule_slot_changes(BERLIN, gone, MONDAY.date(), held, NOW)) == 14 - 2
    assert all(change.available for change in schedule_slot_changes(gone, BERLIN, MONDAY.date(), held, NOW))
    assert schedule_slot_changes(BERLIN, BERLIN, MONDAY.date(), held, NOW) == ()


def test_a_change_that_is_accepted_is_no_event_of_an_appointment() -> None:
    decision = decide(booked(), hours(), NOW)
    assert isinstance(decision, Accepted)
    assert decision.aggregate_id == schedule_id("berlin")
    assert isinstance(decide(booked(), hours(by=PATIENT), NOW), Refused)
