"""aiohttp's runner, for which requests that are no HTTP at all are problems like any other.

aiohttp answers them itself, before any middleware, in plain text, and logs a traceback that quotes them: whoever sends
rubbish would fill the log with it. It has no option for that, so this reaches into private parts; aiohttp is pinned.
"""

from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from api.http.middleware import HEADERS, REQUEST_ID
from api.http.problems import CONTENT_TYPE, Problem, document
from hub.ids import new_id

log = structlog.get_logger()


class Runner(web.AppRunner):
    """Runs the application."""

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        return _Server(plain.request_handler, request_factory=plain.request_factory, **plain._kwargs)  # noqa: SLF001


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ()

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log what aiohttp did not expect, unless it is a body that breaks off: its request has had its problem."""
        if not isinstance(kwargs.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kwargs)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # quotes the request, so nobody gets to see it
    ) -> web.StreamResponse:
        """Answer what the parser rejected (400), or what got past the middleware, and close the connection."""
        request_id = new_id()
        if status == web.HTTPBadRequest.status_code:
            log.info("request_unreadable", request_id=request_id, cause=type(exc).__name__)
            problem = Problem("malformed_request", "This is not HTTP as we know it.")
        else:
            log.error("request_failed", request_id=request_id, exc_info=exc)
            problem = Problem("internal", "The hub met an error of its own. It has been written down.")
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer has left already, so there cannot be another")
        response = web.Response(
            status=problem.status,
            body=document(problem, request_id),
            headers={**HEADERS, hdrs.CONTENT_TYPE: CONTENT_TYPE, REQUEST_ID: request_id},
        )
        response.force_close()
        return response
