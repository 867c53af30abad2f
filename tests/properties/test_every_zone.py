"""Slots are right in every IANA zone, on the days around each clock change from 2024 to 2032."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from hub.scheduling.schedule import Schedule
from hub.scheduling.values import APPOINTMENT_DURATION
from tests.people import ROUND_THE_CLOCK, weekly

ZONES = sorted(available_timezones() - {"localtime"})
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LAST = datetime(2033, 1, 1, tzinfo=UTC)
LEAP_DAY = date(2028, 2, 29)
WEEK = range(7)


@pytest.mark.parametrize("name", ZONES)
def test_a_doctor_who_works_round_the_clock_has_each_half_hour_of_each_day_once(name: str) -> None:
    doctor = Schedule(id="d", zone=name, shifts=ROUND_THE_CLOCK)
    slots = {day: list(doctor.starts_of(day)) for day in days_around_changes(name)}
    for day, starts in slots.items():
        begin, end = doctor.day_bounds(day)
        assert len(starts) == (end - begin) / APPOINTMENT_DURATION
        assert starts == naive_starts(day, name, opens=0, closes=48)
        in_a_row = starts + slots.get(day + timedelta(days=1), [])
        assert all(later - earlier == APPOINTMENT_DURATION for earlier, later in pairwise(in_a_row)), (
            "a hole, or a start twice"
        )
        assert all(local_date(start, name) == day == doctor.day_of(start) for start in starts)
        assert all(doctor.on_grid(start) and start.tzinfo is UTC for start in starts)


@pytest.mark.parametrize("name", ZONES)
def test_a_doctor_who_works_from_nine_to_five_has_the_slots_of_local_time(name: str) -> None:
    doctor = Schedule(id="d", zone=name, shifts=weekly(9, 17))
    for day in days_around_changes(name):
        assert list(doctor.starts_of(day)) == naive_starts(day, name, opens=18, closes=34)


@pytest.mark.parametrize("name", ZONES)
def test_clocks_change_by_whole_half_hours_so_that_equal_starts_are_the_only_overlap(name: str) -> None:
    here = ZoneInfo(name)
    grids = {offset(change, here) % APPOINTMENT_DURATION for change in changes(name)} | {
        offset(FIRST, here) % APPOINTMENT_DURATION
    }
    assert len(grids) == 1


def test_the_tested_years_contain_days_of_23_24_and_25_hours_and_half_hour_changes() -> None:
    """Guards the tests above: without any clock change, they would test ordinary days only."""
    lengths = {
        (end - begin) / timedelta(hours=1)
        for name in ZONES
        for day in days_around_changes(name)
        for begin, end in [Schedule(id="d", zone=name).day_bounds(day)]
    }
    assert {22, 23, 23.5, 24, 24.5, 25, 26} <= lengths
    assert sum(len(changes(name)) for name in ZONES) > 3000


def naive_starts(day: date, name: str, opens: int, closes: int) -> list[datetime]:
    """Convert each half hour of the wall clock from `opens` to `closes`."""
    midnight = datetime.combine(day, time(0))
    walls = [midnight + half * APPOINTMENT_DURATION for half in range(opens, closes)]
    return sorted(instant for wall in walls for instant in instants_reading(wall, ZoneInfo(name)))


def instants_reading(wall: datetime, here: ZoneInfo) -> set[datetime]:
    """Return the instants at which the zone's clock shows this: none in a gap, two in a fold."""
    readings = {wall.replace(tzinfo=here, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return {instant for instant in readings if instant.astimezone(here).replace(tzinfo=None, fold=0) == wall}


def days_around_changes(name: str) -> Iterator[date]:
    days = {local_date(change, name) + timedelta(away) for change in changes(name) for away in (-1, 0, 1)}
    yield from sorted(days | {LEAP_DAY})


@cache
def changes(name: str) -> list[datetime]:
    """Return the first second after each change of the zone's offset, by bisection."""
    here = ZoneInfo(name)
    found = []
    before = FIRST
    while before < LAST:
        after = before + timedelta(hours=12)
        if offset(before, here) != offset(after, here):
            found.append(_first_with_new_offset(before, after, here))
        before = after
    return found


def _first_with_new_offset(old: datetime, new: datetime, here: ZoneInfo) -> datetime:
    while new - old > timedelta(seconds=1):
        middle = old + (new - old) // 2
        old, new = (middle, new) if offset(middle, here) == offset(old, here) else (old, middle)
    return new.replace(microsecond=0)


def offset(instant: datetime, here: ZoneInfo) -> timedelta:
    return instant.astimezone(here).utcoffset() or timedelta(0)


def local_date(instant: datetime, name: str) -> date:
    return instant.astimezone(ZoneInfo(name)).date()
