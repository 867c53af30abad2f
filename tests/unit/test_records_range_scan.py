"""A range scan covers all time without a gap, in ranges as long as the wanted matches need, and ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hub.records.range_scan import RangeScan

USUAL = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def all_ranges(scan: RangeScan, count_matches: Callable[[dict[str, datetime]], int]) -> list[dict[str, datetime]]:
    """Return every range, when `count_matches` returns the number of matches in a range."""
    found, ranges = 0, []
    while condition := scan.next(found):
        ranges.append(condition)
        found += count_matches(condition)
    return ranges


@pytest.mark.parametrize("start_from", [None, USUAL - DAY, USUAL + DAY])
@pytest.mark.parametrize("matches_a_day", [0, 1, 48])
def test_ranges_follow_each_other_without_a_gap_to_the_end(start_from: datetime | None, matches_a_day: int) -> None:
    end = USUAL + 500 * DAY

    def matches(condition: dict[str, datetime]) -> int:
        days = (condition["$lt"] - condition["$gte"]) / DAY
        return int(days * matches_a_day) if condition["$gte"] >= USUAL - DAY else 0

    ranges = all_ranges(RangeScan(start_from, end, USUAL, 10_000), matches)

    assert ranges[0]["$gte"] == start_from or (start_from is None and ranges[0]["$gte"].year == 1000)
    assert [each["$gte"] for each in ranges[1:]] == [each["$lt"] for each in ranges[:-1]]
    assert ranges[-1]["$lt"] == end


def test_in_a_full_calendar_ranges_are_as_long_as_the_wanted_matches_need() -> None:
    scan = RangeScan(USUAL, None, USUAL, 100)
    lengths = []
    found = 0
    while found < 100 and (condition := scan.next(found)):
        lengths.append((condition["$lt"] - condition["$gte"]) / DAY)
        found += round(lengths[-1] * 16)
    assert sum(lengths) <= 8


def test_the_scan_of_an_empty_calendar_ends_after_a_few_ranges() -> None:
    assert len(all_ranges(RangeScan(None, None, USUAL, 51), lambda _: 0)) <= 12
    assert all_ranges(RangeScan(USUAL, USUAL, USUAL, 51), lambda _: 0) == []
