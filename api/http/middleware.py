"""What every request passes on its way in and out: id, origin, problem if it has one, headers, log line, figures.

One middleware for all: each one more costs every request another coroutine.
"""

import re
from collections.abc import Mapping
from time import perf_counter
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from api.http.cors import Origins
from api.http.endpoints import BODY_LIMIT
from api.http.identity import WHO
from api.http.problems import CONTENT_TYPE, Problem, document, problem_of
from api.http.proxies import Proxies
from api.metrics import REQUEST_SECONDS, REQUESTS
from hub.ids import new_id
from hub.settings import Settings

log = structlog.get_logger()

REQUEST_ID: Final = "X-Request-ID"

SOCKETS: Final = "/socket.io/"

HEADERS: Mapping[str, str] = {
    hdrs.CACHE_CONTROL: "no-store",  # answers hold tokens and what people are ill with
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    hdrs.SERVER: "clinic-hub",  # aiohttp would tell its version, and Python's
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
}

_ONLY_BY_TLS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""For production, which is behind TLS; a browser that is told over plain HTTP ignores it."""
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def every_request(settings: Settings) -> Middleware:
    """Return the middleware that runs the handler; whatever that raises becomes a problem document."""
    origins, proxies = Origins(settings.cors_origins), Proxies(settings.trusted_proxies)
    headers = HEADERS if settings.clinic_env == "development" else {**HEADERS, **_ONLY_BY_TLS}

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        request = proxies.seen_through(request)
        if request.path == SOCKETS:
            return await handler(request)  # lives as long as its client, and answers in its own protocol
        began = perf_counter()
        request_id = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        code = None
        try:
            response = origins.preflight(request) or await handler(request)
        except Exception as error:  # noqa: BLE001  # where errors end: a problem for the client, a line for us
            problem = _told(request, error)
            code = problem.code
            response = _answer(problem, request_id)
        for name, value in headers.items():
            response.headers.setdefault(name, value)  # a page may bring a policy of its own
        origins.mark(request, response)
        response.headers[REQUEST_ID] = request_id
        _note(request, response.status, code, perf_counter() - began)
        return response

    return pass_through


def _request_id(request: web.Request) -> str:
    """Return the caller's id of the request if it is harmless, else a new one."""
    given = request.headers.get(REQUEST_ID)
    return given if given is not None and _GOOD_ID.fullmatch(given) else new_id()


def _told(request: web.Request, error: Exception) -> Problem:
    """Return the problem that the client is told of."""
    match error:
        case web.HTTPNotFound():
            return Problem("not_found", "There is nothing at this address.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return Problem("method_not_allowed", f"Here one may {allowed}.", headers={hdrs.ALLOW: allowed})
        case web.HTTPRequestEntityTooLarge():
            return Problem("body_too_large", f"A body has {BODY_LIMIT} bytes at most.")
        case web.RequestPayloadError() | ConnectionError():
            return Problem("malformed_request", "The body did not arrive as it was announced.")
        case _:
            return _written_down(request, problem_of(error), error)


def _written_down(request: web.Request, problem: Problem, error: Exception) -> Problem:
    """Log what only we may know of an error that is no problem by itself, and return what the client is told."""
    if problem.code == "internal":
        log.error("request_failed", route=_route(request), exc_info=error)
    elif problem is not error:
        log.warning("request_not_served", route=_route(request), code=problem.code, cause=str(error))
    return problem


def _answer(problem: Problem, request_id: str) -> web.Response:
    return web.Response(
        status=problem.status,
        body=document(problem, request_id),
        headers={hdrs.CONTENT_TYPE: CONTENT_TYPE, **(problem.headers or {})},
    )


def _note(request: web.Request, status: int, code: str | None, seconds: float) -> None:
    who = request.get(WHO)
    route = _route(request)
    write = log.debug if route.startswith("/health") else log.info  # a balancer asks every second
    REQUESTS.labels(_method(request), route, status).inc()
    REQUEST_SECONDS.labels(_method(request), route).observe(seconds)
    write(
        "request",
        method=_method(request),
        route=route,
        status=status,
        code=code,
        user_id=None if who is None else who.user_id,
        ms=round(seconds * 1000, 2),
    )


def _route(request: web.Request) -> str:
    """Return the template of the path, never the path: that is the client's text."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def _method(request: web.Request) -> str:
    """Return the method, if it is one that somebody has defined: any word may stand there."""
    return request.method if request.method in hdrs.METH_ALL else "other"
