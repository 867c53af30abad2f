"""Makes an aiohttp handler of an endpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from aiohttp import hdrs, web
from multidict import CIMultiDict
from pydantic import TypeAdapter

from api.http.endpoints import Accepted, Answer, Endpoint, File, Json, Lines, Written
from api.http.identity import Access, Authenticator
from api.http.lines import body_of
from api.http.problems import Problem
from api.http.rate_limits import ReadRateLimit, UploadRateLimit, VisitorRateLimit, WriteRateLimit
from api.http.request_reading import CONTENT_TYPE, read_body, reader_of
from api.http.uploads import read_upload

_NO_HEADERS: Mapping[str, str] = {}


class BodyTimeout(Protocol):
    """The time limits of a request."""

    @property
    def body(self) -> float:
        """Seconds for the body of a request."""


class Guards(Protocol):
    """The checks before every handler. The `services` of the handlers have them, among other things."""

    @property
    def authenticator(self) -> Authenticator:
        """Authenticates the caller by the bearer token."""

    @property
    def timeouts(self) -> BodyTimeout:
        """The time limits."""

    @property
    def write_rate_limit(self) -> WriteRateLimit:
        """Limits the writes of each user and address."""

    @property
    def read_rate_limit(self) -> ReadRateLimit:
        """Limits the reads of each user."""

    @property
    def upload_rate_limit(self) -> UploadRateLimit:
        """Limits the uploads of each user."""

    @property
    def visitor_rate_limit(self) -> VisitorRateLimit:
        """Limits the reads of each address without a log-in."""


def serve(endpoint: Endpoint, services: Guards) -> Callable[..., Awaitable[web.Response]]:
    """Return the aiohttp handler: authorize the caller, read what the endpoint takes, run it, send its answer."""
    access, needs, handler = endpoint.access, endpoint.needs, endpoint.handler
    readers = {source: reader_of(source, model) for source, model in endpoint.takes.items() if source != "body"}
    body = endpoint.takes.get("body")
    writes = endpoint.method != "GET"
    to_json = None if endpoint.answer in {type(None), File} else TypeAdapter(endpoint.answer).serializer.to_json

    async def handle(request: web.Request) -> web.Response:
        who = services.authenticator.authorize(request, access)
        if who is not None:
            if writes:
                services.write_rate_limit.count(who.user_id, request.remote)
            else:
                services.read_rate_limit.count(who.user_id)
            if endpoint.upload is not None:
                services.upload_rate_limit.count(who.user_id)
        if who is None and access is Access.VISITOR:
            services.visitor_rate_limit.count(request.remote)
        known = {"services": services, "who": who, "request": request}
        arguments: dict[str, object] = {name: known[name] for name in needs}
        for source, read in readers.items():
            arguments[source] = read(request)
        try:
            async with asyncio.timeout(services.timeouts.body):
                if body is not None:
                    arguments["body"] = await read_body(body, request)
                if endpoint.upload is not None:
                    arguments["upload"] = await read_upload(request, endpoint.upload)
        except TimeoutError:
            raise Problem("malformed_request", "The body did not arrive in time.") from None
        result = await handler(**arguments)
        return _response(request, endpoint, result, to_json)

    return handle


def _response(
    request: web.Request, endpoint: Endpoint, result: object, to_json: Callable[..., bytes] | None
) -> web.Response:
    """Return the response for what the handler returned; `to_json` encodes a value, None if there is none to send."""
    status = endpoint.status
    if isinstance(result, File):
        return _file(request, endpoint, result)
    if isinstance(result, Lines):
        sent = {hdrs.CONTENT_TYPE: endpoint.gives, "X-Accel-Buffering": "no"}  # nginx would collect the lines
        return web.Response(status=status, body=body_of(result.items), headers=sent)
    if isinstance(result, Json):
        return _file(
            request, endpoint, File(result.encoded.content, {hdrs.ETAG: result.encoded.etag, **result.headers})
        )
    if isinstance(result, Written):
        return web.Response(
            status=status, body=result.content, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE, **result.headers}
        )
    if isinstance(result, Accepted):
        content = result.value.model_dump_json(by_alias=True).encode()
        return web.Response(status=HTTPStatus.ACCEPTED, body=content, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})
    value, headers = (result.value, result.headers) if isinstance(result, Answer) else (result, _NO_HEADERS)
    if to_json is None:
        return web.Response(status=status, headers=headers)
    typed = CIMultiDict(headers)  # an answer may set several cookies
    typed.add(hdrs.CONTENT_TYPE, CONTENT_TYPE)
    return web.Response(status=status, body=to_json(value, by_alias=True), headers=typed)


def _file(request: web.Request, endpoint: Endpoint, file: File) -> web.Response:
    """Return the file, or 304 when If-None-Match names its ETag."""
    if hdrs.ETAG in file.headers and _is_known(request, file.headers[hdrs.ETAG]):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=file.headers)
    return web.Response(
        status=endpoint.status, body=file.content, headers={hdrs.CONTENT_TYPE: endpoint.gives, **file.headers}
    )


def _is_known(request: web.Request, etag: str) -> bool:
    """Return whether If-None-Match names the ETag: alone, in a list, or by `*` (RFC 9110, section 13.1.2).

    The comparison is the weak one, because a proxy that compresses an answer makes its ETag weak.
    """
    return any(known.value in {"*", etag.strip('"')} for known in request.if_none_match or ())
