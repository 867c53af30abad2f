"""The headers of an answer from a view."""

from aiohttp import hdrs

from api.http.positions import position_header
from api.views.view_store import Reading

AGES = ("Age", "Warning")
"""The headers of an answer that may be outdated."""
SENDS = ("ETag", "Position", *AGES)
"""The headers that an answer from a view may have."""
_STALE = '111 clinic-hub "Revalidation Failed"'


def headers_of(reading: Reading) -> dict[str, str]:
    """Return the position of a view, and its age if it may be outdated."""
    return position_header({reading.view.schedule.id: reading.view.seq}) | age_headers(reading.age)


def age_headers(age: float | None) -> dict[str, str]:
    """Return the headers that say how many seconds ago an answer was known to be complete; none if it is."""
    return {} if age is None else {hdrs.AGE: str(int(age)), hdrs.WARNING: _STALE}
