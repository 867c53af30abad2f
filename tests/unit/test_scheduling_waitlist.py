"""The wishes of those who wait, by the doctor's clock, and the instants of an offer."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from hub.scheduling.line import OfferPolicy
from hub.scheduling.schedule import Schedule
from hub.scheduling.wish import Between, Wish

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=BERLIN)


def test_a_wish_has_its_first_and_its_last_day() -> None:
    wish = Wish(first_day=MONDAY, last_day=MONDAY + timedelta(days=1))
    assert [wish.fits(at(0, day=day)) for day in (1, 2, 3)] == [True, True, False]
    assert not wish.fits(at(23, 30, day=1) - timedelta(days=1))


def test_weekdays_and_times_are_those_of_the_doctors_clock() -> None:
    wish = Wish(first_day=MONDAY, last_day=MONDAY, weekdays=(0,), between=Between(opens=600, closes=660))
    assert [wish.fits(at(*each)) for each in ((9, 30), (10, 0), (10, 30), (11, 0))] == [False, True, True, False]
    assert not wish.model_copy(update={"weekdays": (1,)}).fits(at(10))


@pytest.mark.parametrize(
    "fields",
    [
        {"last_day": MONDAY - timedelta(days=1)},
        {"last_day": MONDAY + timedelta(days=367)},
        {"weekdays": ()},
        {"weekdays": (7,)},
        {"between": {"opens": 600, "closes": 600}},
        {"between": {"opens": 610, "closes": 660}},
    ],
)
def test_what_is_no_wish(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Wish(**{"first_day": MONDAY, "last_day": MONDAY, **fields})


def test_the_same_weekdays_are_the_same_wish() -> None:
    one, other = (Wish(first_day=MONDAY, last_day=MONDAY, weekdays=days) for days in ((2, 0, 2), (0, 2)))
    assert one == other


def test_an_offer_ends_half_an_hour_before_the_start_at_the_latest() -> None:
    policy = OfferPolicy()
    assert policy.until(NOON + timedelta(hours=3), NOON) == NOON + timedelta(minutes=30)
    assert policy.until(NOON + timedelta(minutes=45), NOON) == NOON + timedelta(minutes=15)


@pytest.mark.parametrize(("hour", "may"), [(5, False), (6, True), (18, True), (19, False)])
def test_offers_are_made_by_day_by_the_doctors_clock(hour: int, may: bool) -> None:  # noqa: FBT001  # a parameter of the test
    schedule = Schedule(id="ada", zone="Europe/Berlin")
    assert OfferPolicy().may_text(schedule, NOON.replace(hour=hour)) is may
