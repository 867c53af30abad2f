"""How a long time is read in short stretches, each about as long as what is wanted takes.

For a database that reads every match before it limits them, and lets nobody else in meanwhile.
"""

from datetime import UTC, datetime, timedelta

from hub.scheduling.values import APPOINTMENT_DURATION

_BEGIN, _END = datetime(1000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""No instant lies before the one or after the other. Not left out: a condition without a lower end also meets what has
no start at all."""
_LONGER, _SHORTER = 4.0, 0.25
"""What one stretch may be longer, or shorter, than the one before it."""


class Stretches:
    """Conditions on a start for one stretch after the other of [start_from, start_to), None being no bound.

    Nothing is likely to lie before `usual`; still, the first stretch reaches back to the beginning of time. `wanted` is
    how many matches are needed in all.
    """

    def __init__(self, start_from: datetime | None, start_to: datetime | None, usual: datetime, wanted: int) -> None:
        self._begin = start_from
        self._end = start_to or _END
        self._usual = usual
        self._wanted = wanted
        self._found = 0
        self._width: timedelta | None = None

    def next(self, found: int) -> dict[str, datetime] | None:
        """Return the next stretch when `found` matches lay in those before it; None at the end."""
        begin = self._begin
        if begin is None:
            self._begin = min(self._usual, self._end)
            return {"$gte": _BEGIN, "$lt": self._begin}
        if begin >= self._end:
            return None
        self._width = self._next_width(self._wanted - found, found - self._found)
        self._found = found
        self._begin = begin + min(self._width, self._end - begin)
        return {"$gte": begin, "$lt": self._begin}

    def _next_width(self, needed: int, new: int) -> timedelta:
        if self._width is None:
            return needed * APPOINTMENT_DURATION  # of a doctor who works day and night
        factor = needed / new if new else _LONGER
        return max(APPOINTMENT_DURATION, self._width * min(max(factor, _SHORTER), _LONGER))
