"""The only module that reads the wall clock. All other code receives a `Clock` or a `Timekeeper`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns now: aware, UTC, in whole milliseconds. MongoDB stores milliseconds, so a stored instant is equal."""


@dataclass(frozen=True)
class Timekeeper:
    """A `Clock` that shows `shows` at the machine's time `base` and runs `rate` times as fast from then on.

    The system clock has no shift and the rate 1. Tests and the demo use other clocks. All processes of a hub must have
    the same one.
    """

    base: datetime
    shows: datetime
    rate: float

    def __call__(self) -> datetime:
        """Return now in UTC, truncated to milliseconds."""
        now = self.shows + (datetime.now(UTC) - self.base) * self.rate
        return _whole_milliseconds(now)

    def seconds_until(self, instant: datetime) -> float:
        """Return the real seconds until the clock shows `instant`, 0 if that has passed."""
        return max(0.0, (instant - self()).total_seconds() / self.rate)

    def after(self, seconds: float) -> datetime:
        """Return what the clock will show after this many real seconds."""
        return self() + timedelta(seconds=seconds) * self.rate


def machine_time() -> datetime:
    """Return the machine's time in UTC, truncated to milliseconds: the `base` of a clock that begins now."""
    return _whole_milliseconds(datetime.now(UTC))


def _whole_milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
system_clock = Timekeeper(base=_EPOCH, shows=_EPOCH, rate=1.0)
"""The machine's clock."""
