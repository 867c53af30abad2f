"""When two appointments of one patient overlap: when they share a quarter of an hour.

Each doctor's slots lie on the half hours of the doctor's own clock. Two doctors whose zones differ by a quarter of an
hour (Asia/Kathmandu, say) so have slots that overlap without starting together: equality of starts is not enough.
"""

from datetime import datetime, timedelta

_QUARTER = timedelta(minutes=15)


def quarters(start: datetime) -> tuple[datetime, datetime]:
    """Return the starts of the two quarters of an hour that an appointment from `start` holds."""
    return start, start + _QUARTER
