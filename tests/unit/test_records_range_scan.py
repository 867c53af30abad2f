"""Stretches of time: without a gap, as long as what is wanted needs, and an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.records.range_scan import Stretches

USUAL = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def all_of(stretches: Stretches, found_in: Any) -> list[dict[str, datetime]]:
    """Return every stretch, when `found_in` says how many matches lie in each."""
    found, told = 0, []
    while stretch := stretches.next(found):
        told.append(stretch)
        found += found_in(stretch)
    return told


@pytest.mark.parametrize("start_from", [None, USUAL - DAY, USUAL + DAY])
@pytest.mark.parametrize("a_day", [0, 1, 48])
def test_they_follow_each_other_without_a_gap_to_the_end(start_from: datetime | None, a_day: int) -> None:
    end = USUAL + 500 * DAY

    def found(stretch: dict[str, datetime]) -> int:
        return int((stretch["$lt"] - stretch["$gte"]) / DAY * a_day) if stretch["$gte"] >= USUAL - DAY else 0

    told = all_of(Stretches(start_from, end, USUAL, 10_000), found)

    assert told[0]["$gte"] == start_from or (start_from is None and told[0]["$gte"].year == 1000)
    assert [stretch["$gte"] for stretch in told[1:]] == [stretch["$lt"] for stretch in told[:-1]]
    assert told[-1]["$lt"] == end


def test_of_a_full_calendar_they_are_as_long_as_what_is_wanted_takes() -> None:
    stretches = Stretches(USUAL, None, USUAL, 100)
    lengths = []
    found = 0
    while found < 100 and (stretch := stretches.next(found)):
        lengths.append((stretch["$lt"] - stretch["$gte"]) / DAY)
        found += round(lengths[-1] * 16)
    assert sum(lengths) <= 8


def test_an_empty_calendar_ends_after_a_few() -> None:
    assert len(all_of(Stretches(None, None, USUAL, 51), lambda _: 0)) <= 12
    assert all_of(Stretches(USUAL, USUAL, USUAL, 51), lambda _: 0) == []
