"""The middleware of every request: client address, request id, CORS, errors, headers, log line, metrics.

It is one middleware, because each further one costs every request another coroutine.
"""

import re
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from api.http.access_log import CALLER, Caller
from api.http.cors import CorsPolicy
from api.http.identity import WHO
from api.http.insiders import INSIDE, comes_from_inside
from api.http.problems import CONTENT_TYPE, Problem, document, problem_of
from api.http.proxies import TrustedProxies
from api.http.request_reading import BODY_LIMIT
from api.metrics import PATH as METRICS
from api.metrics import REQUEST_SECONDS, REQUESTS
from hub.ids import new_id
from hub.settings import Settings

log = structlog.get_logger()

Missing = Callable[[web.Request], web.Response | None]
"""Returns the page for an address where there is nothing; None if the caller asks for no page."""

REQUEST_ID: Final = "X-Request-ID"

SOCKETS: Final = "/socket.io/"

HEADERS: Mapping[str, str] = {
    hdrs.CACHE_CONTROL: "no-store",  # answers hold tokens and medical data
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    hdrs.SERVER: "clinic-hub",  # by default aiohttp sends its version and Python's
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not support frame-ancestors
}

_TLS_ONLY: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""For production, which is behind TLS. A browser ignores this header over plain HTTP."""
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def security_headers(settings: Settings) -> Mapping[str, str]:
    """Return the headers of every answer."""
    return HEADERS if settings.clinic_env == "development" else {**HEADERS, **_TLS_ONLY}


def request_middleware(settings: Settings, missing: Missing) -> Middleware:
    """Return the middleware. Every exception of the handler becomes a problem document.

    A browser that asks for a page at an address where there is nothing gets that of `missing`.
    """
    cors, proxies = CorsPolicy(settings.cors_origins), TrustedProxies(settings.trusted_proxies)
    headers = security_headers(settings)

    @web.middleware
    async def serve_request(request: web.Request, handler: Handler) -> web.StreamResponse:
        inside = comes_from_inside(request)
        request = proxies.as_client_sent(request)
        if request.path == SOCKETS and request.match_info.http_exception is None:
            response = await handler(request)  # it lasts as long as the connection, and has its own protocol
            if not response.prepared:  # a refusal; an open socket has sent its headers
                response.headers.update(headers)
            return response
        began = perf_counter()
        request_id = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        CALLER.set(Caller(request.remote, request_id))
        INSIDE.set(inside)
        code = None
        try:
            if request.path == METRICS and not inside:
                raise web.HTTPNotFound  # noqa: TRY301 -- answered below, as what is not there
            response = cors.preflight(request) or await handler(request)
        except Exception as error:  # noqa: BLE001  # the last handler: a problem for the client, a log line
            problem = _problem_for(request, error)
            code = problem.code
            page = missing(request) if isinstance(error, web.HTTPNotFound) else None
            response = page or _answer(problem, request_id)
        for name, value in headers.items():
            response.headers.setdefault(name, value)  # a page may have its own Content-Security-Policy
        cors.add_headers(request, response)
        response.headers[REQUEST_ID] = request_id
        _record(request, response.status, code, perf_counter() - began)
        return response

    return serve_request


def _request_id(request: web.Request) -> str:
    """Return the request id of the caller if it is safe to log and return, else a new one."""
    given = request.headers.get(REQUEST_ID)
    return given if given is not None and _SAFE_ID.fullmatch(given) else new_id()


def _problem_for(request: web.Request, error: Exception) -> Problem:
    """Return the problem to answer with."""
    match error:
        case web.HTTPNotFound():
            return Problem("not_found", "There is nothing at this address.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return Problem("method_not_allowed", f"The allowed methods are {allowed}.", headers={hdrs.ALLOW: allowed})
        case web.HTTPRequestEntityTooLarge():
            return Problem("body_too_large", f"A body may have at most {BODY_LIMIT} bytes.")
        case web.RequestPayloadError() | ConnectionError():
            return Problem("malformed_request", "The body is incomplete.")
        case _:
            return _logged(request, problem_of(error), error)


def _logged(request: web.Request, problem: Problem, error: Exception) -> Problem:
    """Log the cause of an error that is not a `Problem` itself, which the client does not see; return the problem."""
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


def _record(request: web.Request, status: int, code: str | None, seconds: float) -> None:
    who = request.get(WHO)
    route = _route(request)
    write = log.debug if route.startswith("/health") else log.info  # a load balancer calls it every second
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
    """Return the path template of the route, never the path, which is the client's text."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def _method(request: web.Request) -> str:
    """Return the method if it is a standard one: a client may send any word."""
    return request.method if request.method in hdrs.METH_ALL else "other"
