"""Splits the scan of a long time range into short ranges, each about as long as the wanted matches need.

The embedded engine reads all matches of a query before it applies the limit, and blocks other calls meanwhile.
"""

from datetime import UTC, datetime, timedelta

from hub.scheduling.values import APPOINTMENT_DURATION

_MIN, _MAX = datetime(1000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Bounds of all instants. They are needed: a condition without a lower bound also matches documents without a start."""
_MAX_GROWTH, _MAX_SHRINKAGE = 4.0, 0.25
"""Limits of the ratio between the widths of two consecutive ranges."""


class RangeScan:
    """Yields conditions on `start` for consecutive ranges of [start_from, start_to). None means no bound.

    Few matches are expected before `usual`, so without `start_from` the first range covers everything before it.
    `wanted` is the total number of matches that the caller needs.
    """

    def __init__(self, start_from: datetime | None, start_to: datetime | None, usual: datetime, wanted: int) -> None:
        self._begin = start_from
        self._end = start_to or _MAX
        self._usual = usual
        self._wanted = wanted
        self._found = 0
        self._width: timedelta | None = None

    def next(self, found: int) -> dict[str, datetime] | None:
        """Return the next range, or None at the end. `found` is the number of matches in all ranges so far."""
        begin = self._begin
        if begin is None:
            self._begin = min(self._usual, self._end)
            return {"$gte": _MIN, "$lt": self._begin}
        if begin >= self._end:
            return None
        self._width = self._next_width(self._wanted - found, found - self._found)
        self._found = found
        self._begin = begin + min(self._width, self._end - begin)
        return {"$gte": begin, "$lt": self._begin}

    def _next_width(self, missing: int, found_last: int) -> timedelta:
        if self._width is None:
            return missing * APPOINTMENT_DURATION  # the shortest possible range: every slot is booked
        factor = missing / found_last if found_last else _MAX_GROWTH
        return max(APPOINTMENT_DURATION, self._width * min(max(factor, _MAX_SHRINKAGE), _MAX_GROWTH))
