"""The headers of an answer from a view."""

from aiohttp import hdrs

from api.http.positions import position_header
from api.views.view_store import Reading

SENDS = ("ETag", "Position", "Age", "Warning")
"""The headers that an answer from a view may have."""
_STALE = '111 clinic-hub "Revalidation Failed"'


def headers_of(reading: Reading) -> dict[str, str]:
    """Return the position of a view, and its age if it may be outdated."""
    headers = position_header({reading.view.schedule.id: reading.view.seq})
    if reading.age is not None:
        headers |= {hdrs.AGE: str(int(reading.age)), hdrs.WARNING: _STALE}
    return headers
