"""Pages of other origins: which may read our answers, and what a browser is told before it lets them ask (CORS)."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

_MAY_ASK: Mapping[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-ID",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}
_MAY_READ: Final = "ETag, Link, Location, Retry-After, X-Request-ID"


class Origins:
    """The origins (scheme://host:port) of pages that may use the api. No cookie is used: pages send tokens."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def preflight(self, request: web.Request) -> web.Response | None:
        """Return the answer to a browser that asks whether a page may send a request; None when it is no such question.

        It asks without a token, for any path: the answer is about the page, not about what there is.
        """
        asks = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if not asks or request.headers.get(hdrs.ORIGIN) not in self._allowed:
            return None
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=_MAY_ASK)

    def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say on an answer who may read it."""
        if not self._allowed:
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin in self._allowed:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _MAY_READ
