"""The time of the server, for clients that show the time left until an appointment."""

from api.http.endpoints import Routes
from api.http.identity import Access
from api.services import Services
from hub.scheduling.values import Instant, Value

routes = Routes("/api/v1/time")


class Now(Value):
    """The same instant twice: RFC 3339, and milliseconds since 1970."""

    now: Instant
    unix_ms: int


@routes.endpoint("GET", "/now", access=Access.ANYONE)
async def time_now(services: Services) -> Now:
    """Return the time of the server."""
    now = services.clock()
    return Now(now=now, unix_ms=round(now.timestamp() * 1000))
