"""The only caller of the wall clock; everything else is handed a `Clock` or a `Timekeeper`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns now: aware, UTC, whole milliseconds (what MongoDB keeps, so a stored instant equals the one in memory)."""


@dataclass(frozen=True)
class Timekeeper:
    """A `Clock` that shows `shows` when the machine's own says `base`, and runs `rate` times as fast from there.

    The one of the machine itself has no shift and the rate 1. Another one is for tests and for the demo: all processes
    of a hub are given the same, so that they agree.
    """

    base: datetime
    shows: datetime
    rate: float

    def __call__(self) -> datetime:
        """Return now, UTC, cut to milliseconds."""
        now = self.shows + (datetime.now(UTC) - self.base) * self.rate
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def seconds_until(self, instant: datetime) -> float:
        """Return how many seconds to wait until the clock shows `instant`; 0 when it does already."""
        return max(0.0, (instant - self()).total_seconds() / self.rate)

    def after(self, seconds: float) -> datetime:
        """Return what the clock will show when these seconds have been waited."""
        return self() + timedelta(seconds=seconds) * self.rate


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
system_clock = Timekeeper(base=_EPOCH, shows=_EPOCH, rate=1.0)
"""The machine's own time."""
