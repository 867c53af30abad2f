"""Days for tests on the machine's clock, at whatever time of day they run."""

from datetime import datetime, timedelta

from hub.clock import system_clock


def day_after_tomorrow() -> datetime:
    """Return the midnight (UTC) that is 24 to 48 hours ahead.

    Shortly before midnight, the first slots of tomorrow may already be completed, and soon not be booked.
    """
    return system_clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
