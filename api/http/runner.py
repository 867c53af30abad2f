"""A runner for aiohttp that answers requests which are not valid HTTP with a problem document.

aiohttp answers them before any middleware runs, in plain text, and logs a traceback that quotes the request: a client
that sends garbage would fill the log. aiohttp has no option for that, so this module uses private parts of aiohttp,
which is pinned.
"""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from api.http.middleware import HEADERS, REQUEST_ID
from api.http.problems import CONTENT_TYPE, Problem, document, internal_error
from hub.ids import new_id

log = structlog.get_logger()

IDLE_FOR: Final = 75.0
"""Seconds. Proxies keep an idle connection for 60 s: none may send a request on one that is just being closed."""


class Runner(web.AppRunner):
    """Runs the application, with its own handling of unreadable requests.

    A connection that has sent no complete head of a request for `IDLE_FOR` seconds is closed.
    """

    def __init__(
        self,
        application: web.Application,
        headers: Mapping[str, str] = HEADERS,
        idle_for: float = IDLE_FOR,
        **more: Any,
    ) -> None:
        """`headers` are those of every answer, also of one to what is no request."""
        super().__init__(application, keepalive_timeout=idle_for, **more)
        self._headers = headers

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        server = _Server(plain.request_handler, request_factory=plain.request_factory, **plain._kwargs)  # noqa: SLF001
        server.headers = self._headers
        return server


class _Server(web.Server):
    headers: Mapping[str, str]

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ()

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an unexpected error, but not an incomplete body: the middleware has answered that request."""
        if not isinstance(kwargs.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kwargs)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes the request, so it is neither logged nor sent
    ) -> web.StreamResponse:
        """Answer a request that the parser rejected (400), or an error outside the middleware; close the connection."""
        request_id = new_id()
        if status == web.HTTPBadRequest.status_code:
            log.info("request_unreadable", request_id=request_id, cause=type(exc).__name__)
            problem = Problem("malformed_request", "The request is not valid HTTP.")
        else:
            log.error("request_failed", request_id=request_id, exc_info=exc)
            problem = internal_error()
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer has been sent, so there cannot be another answer")
        headers = self._manager.headers if isinstance(self._manager, _Server) else HEADERS
        response = web.Response(
            status=problem.status,
            body=document(problem, request_id),
            headers={**headers, hdrs.CONTENT_TYPE: CONTENT_TYPE, REQUEST_ID: request_id},
        )
        response.force_close()
        return response
