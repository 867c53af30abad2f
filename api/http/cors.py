"""CORS: which pages of other origins may send requests to the api and read its answers."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

_PREFLIGHT_HEADERS: Mapping[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Position, X-Request-ID"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}
_EXPOSED_HEADERS: Final = (
    "Age, ETag, Idempotency-Replayed, Link, Location, Position, Retry-After, Warning, X-Request-ID"
)


class CorsPolicy:
    """Allows pages of the given origins (scheme://host:port). They send tokens; only our own pages have a cookie."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def preflight(self, request: web.Request) -> web.Response | None:
        """Return the answer to a preflight request of an allowed origin; None for any other request.

        A browser sends a preflight request without a token, to any path: the answer depends on the origin alone.
        """
        is_preflight = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if not is_preflight or request.headers.get(hdrs.ORIGIN) not in self._allowed:
            return None
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT_HEADERS)

    def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers that let a page of an allowed origin read the answer."""
        if not self._allowed:
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin in self._allowed:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED_HEADERS
