"""Detects overlapping appointments of one patient by quarter hours.

The slots of a doctor start on the half hours of the doctor's local time. So the slots of two doctors whose zones differ
by 15 minutes (for example Asia/Kathmandu) may overlap although their starts differ. Comparing starts is not enough.
"""

from datetime import datetime, timedelta

_QUARTER = timedelta(minutes=15)


def quarters(start: datetime) -> tuple[datetime, datetime]:
    """Return the starts of the two quarter hours that an appointment from `start` occupies."""
    return start, start + _QUARTER
