"""What anybody may see of a doctor's day."""

from datetime import UTC, date, datetime, timedelta

from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.schedule import TimeOff
from hub.scheduling.slots import slot_changes, slots_of
from hub.scheduling.values import HORIZON
from tests.unit.clinic_examples import BERLIN, DOCTOR, MONDAY, NOW, START, after, booked, change, only, standing

MINUTE = timedelta(minutes=1)
JUNE_1 = date(2026, 6, 1)


def test_the_slots_of_a_day_are_the_doctors_working_half_hours() -> None:
    slots = slots_of(BERLIN, JUNE_1, taken=set(), now=NOW)
    morning = ["07:00", "07:30", "08:00", "08:30", "09:00", "09:30"]
    afternoon = ["11:00", "11:30", "12:00", "12:30", "13:00", "13:30", "14:00", "14:30"]
    assert [slot.start.strftime("%H:%M") for slot in slots] == [*morning, *afternoon]
    assert all(slot.end - slot.start == 30 * MINUTE and slot.available for slot in slots)


def test_a_slot_is_available_until_it_begins_or_somebody_takes_it() -> None:
    slots = slots_of(BERLIN, JUNE_1, taken={START}, now=MONDAY + timedelta(hours=7, minutes=30))
    unavailable = [slot.start.strftime("%H:%M") for slot in slots if not slot.available]
    assert unavailable == ["07:00", "07:30", "12:00"]


def test_a_slot_that_nobody_may_book_yet_is_not_available() -> None:
    last = slots_of(BERLIN, JUNE_1, taken=set(), now=NOW)[-1].start
    slots = slots_of(BERLIN, JUNE_1, taken=set(), now=last - HORIZON - 30 * MINUTE)
    assert [slot.available for slot in slots] == [True] * (len(slots) - 1) + [False]


def test_a_disabled_doctor_has_no_available_slot() -> None:
    gone = BERLIN.model_copy(update={"disabled": True})
    assert not any(slot.available for slot in slots_of(gone, JUNE_1, taken=set(), now=NOW))


def test_watchers_are_told_what_an_event_takes_and_frees() -> None:
    def told(calendar: DoctorState) -> list[tuple[datetime, bool]]:
        appointment = only(calendar)
        return [(change.start, change.available) for change in slot_changes(BERLIN, appointment.last, appointment)]

    tomorrow = START + timedelta(days=1)
    assert told(booked()) == [(START, False)]
    assert told(after(booked(), change("cancel"), NOW)) == [(START, True)]
    assert told(after(booked(), change("reschedule", start=tomorrow), NOW)) == [(START, True), (tomorrow, False)]
    assert told(after(booked(), change("confirm"), NOW)) == []
    assert told(after(booked(), change("remind"), START - timedelta(hours=3))) == []
    assert told(standing("no_show")) == []
    early, late = START - 20 * MINUTE, START + 5 * MINUTE
    assert told(after(booked(), change("complete", by=DOCTOR), early)) == [(START, True)]
    assert told(after(booked(), change("complete", by=DOCTOR), late)) == []


def test_a_slot_given_up_in_time_off_is_not_available() -> None:
    away = BERLIN.model_copy(update={"time_off": (TimeOff(start=MONDAY, end=MONDAY + timedelta(days=1)),)})
    cancelled = only(after(booked(), change("cancel"), NOW))
    assert [change.available for change in slot_changes(away, cancelled.last, cancelled)] == [False]


def test_starts_are_utc() -> None:
    assert all(slot.start.tzinfo is UTC for slot in slots_of(BERLIN, JUNE_1, taken=set(), now=NOW))
