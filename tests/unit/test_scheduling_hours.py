"""When a doctor works, by the doctor's own clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from hub.scheduling.schedule import Schedule, Shift, TimeOff
from tests.people import ROUND_THE_CLOCK
from tests.unit.clinic_examples import BERLIN

NIGHT = tuple(Shift(weekday=day, opens=60, closes=210) for day in range(7))
"""From 1:00 to 3:30, when most clocks change."""

DAYS = {
    "an ordinary day in Berlin": ("Europe/Berlin", date(2026, 6, 1), 48, "2026-05-31T22:00Z"),
    "a day of 23 hours": ("Europe/Berlin", date(2026, 3, 29), 46, "2026-03-28T23:00Z"),
    "a day of 25 hours": ("Europe/Berlin", date(2026, 10, 25), 50, "2026-10-24T22:00Z"),
    "a change of half an hour": ("Australia/Lord_Howe", date(2026, 4, 5), 49, "2026-04-04T13:00Z"),
    "a day that begins at one o'clock": ("Africa/Cairo", date(2026, 4, 24), 46, "2026-04-23T22:00Z"),
    "a day whose last hour comes twice": ("Africa/Cairo", date(2026, 10, 29), 50, "2026-10-28T21:00Z"),
    "a day that has midnight twice": ("America/Havana", date(2026, 11, 1), 50, "2026-11-01T04:00Z"),
    "a day that lost its last hour": ("America/Nuuk", date(2026, 3, 28), 46, "2026-03-28T02:00Z"),
    "a zone on the quarter hour": ("Asia/Kathmandu", date(2026, 6, 1), 48, "2026-05-31T18:15Z"),
}  # fmt: skip


@pytest.mark.parametrize(("zone", "day", "slots", "first"), DAYS.values(), ids=DAYS)
def test_a_day_has_a_slot_for_each_half_hour_that_the_clock_shows(zone: str, day: date, slots: int, first: str) -> None:
    starts = list(Schedule(id="d", zone=zone, shifts=ROUND_THE_CLOCK).starts_of(day))
    assert len(starts) == slots
    assert starts[0] == datetime.fromisoformat(first)


CHANGES = {
    "a skipped hour has no slots": (date(2026, 3, 29), ["00:00", "00:30", "01:00"]),
    "a repeated hour has them twice": (
        date(2026, 10, 25),
        ["23:00", "23:30", "00:00", "00:30", "01:00", "01:30", "02:00"],
    ),
    "an ordinary night": (date(2026, 6, 1), ["23:00", "23:30", "00:00", "00:30", "01:00"]),
}


@pytest.mark.parametrize(("day", "starts"), CHANGES.values(), ids=CHANGES)
def test_a_shift_follows_the_clock_through_a_change(day: date, starts: list[str]) -> None:
    doctor = Schedule(id="d", zone="Europe/Berlin", shifts=NIGHT)
    assert [start.strftime("%H:%M") for start in doctor.starts_of(day)] == starts


def test_a_doctors_day_is_not_the_day_of_utc() -> None:
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    assert BERLIN.day_of(late) == date(2026, 6, 2)
    assert Schedule(id="d", zone="America/New_York").day_of(late) == date(2026, 6, 1)


def test_a_doctor_without_shifts_has_no_slots() -> None:
    assert not list(Schedule(id="d", zone="UTC").starts_of(date(2026, 6, 1)))


@pytest.mark.parametrize(
    ("begins", "ends", "away"),
    [("07:00", "08:00", 2), ("07:15", "07:20", 1), ("06:00", "07:00", 0), ("07:29", "07:31", 2)],
)
def test_time_off_takes_every_slot_that_it_touches(begins: str, ends: str, away: int) -> None:
    day = date(2026, 6, 1)
    off = TimeOff(start=f"{day}T{begins}:00Z", end=f"{day}T{ends}:00Z")
    rested = BERLIN.model_copy(update={"time_off": (off,)})
    assert len(list(BERLIN.starts_of(day))) - len(list(rested.starts_of(day))) == away


NONSENSE = {
    "a zone that does not exist": lambda: Schedule(id="d", zone="Europe/Atlantis"),
    "a path instead of a zone": lambda: Schedule(id="d", zone="../../etc/passwd"),
    "the zone of this machine": lambda: Schedule(id="d", zone="localtime"),
    "a shift that ends before it begins": lambda: Shift(weekday=0, opens=600, closes=540),
    "an empty shift": lambda: Shift(weekday=0, opens=600, closes=600),
    "a shift off the half hour": lambda: Shift(weekday=0, opens=610, closes=660),
    "a shift past midnight": lambda: Shift(weekday=0, opens=1380, closes=1500),
    "an eighth weekday": lambda: Shift(weekday=7, opens=540, closes=600),
    "time off that ends before it begins": lambda: TimeOff(start="2026-06-02T00:00Z", end="2026-06-01T00:00Z"),
    "time off without a zone": lambda: TimeOff(start=datetime(2026, 6, 1), end=datetime(2026, 6, 2)),  # noqa: DTZ001 -- the point
}


@pytest.mark.parametrize("make", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_an_error_where_it_enters(make: Callable[[], object]) -> None:
    with pytest.raises(ValidationError):
        make()


def test_the_first_and_the_last_instants_we_know_can_be_read_in_every_doctors_zone() -> None:
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        doctor = Schedule(id="d", zone=zone, shifts=ROUND_THE_CLOCK)
        for instant in ("1000-01-01T00:00Z", "2999-12-31T23:30Z"):
            day = doctor.day_of(datetime.fromisoformat(instant))
            assert doctor.day_bounds(day)[1] - doctor.day_bounds(day)[0] == timedelta(days=1)
