"""The only caller of the wall clock; everything else is handed a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns now: aware, UTC, whole milliseconds (what MongoDB keeps, so a stored instant equals the one in memory)."""


def system_clock() -> datetime:
    """Return the machine's time, UTC, cut to milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
