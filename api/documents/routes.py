"""Serves the documents of the api and the pages that show them. No page loads anything from another host."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from api.documents.asyncapi import asyncapi, asyncapi_servers
from api.documents.openapi import openapi, openapi_servers
from api.http.endpoints import Endpoint
from api.http.proxies import is_host
from api.http.request_reading import CONTENT_TYPE
from hub.settings import Settings, address_elsewhere, public_url

_PAGES: Final = Path(__file__).parents[1] / "pages"
_FILES: Mapping[str, str] = {
    "/docs": "docs.html",
    "/docs/docs.js": "docs.js",
    "/docs/swagger-ui-bundle.js": "swagger-ui/swagger-ui-bundle.js",
    "/docs/swagger-ui.css": "swagger-ui/swagger-ui.css",
    "/redoc": "redoc.html",
    "/redoc/redoc.css": "redoc.css",
    "/redoc/redoc.standalone.js": "redoc/redoc.standalone.js",
    "/redoc/sockets": "sockets.html",
}
"""The file in `pages` for each path."""

PATHS: frozenset[str] = frozenset({"/openapi.json", "/asyncapi.json", *_FILES})

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "  # both set inline styles
    "worker-src blob:; "  # ReDoc runs its search in a worker
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the pages. It also stops their libraries from loading logos from other hosts."""
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    hdrs.CACHE_CONTROL: "no-cache",  # the browser asks each time whether its copy is current; a 304 is short
}


def add_documents(application: web.Application, table: Sequence[Endpoint], settings: Settings) -> None:
    """Serve the documents of these endpoints and of the sockets."""
    application.router.add_get("/openapi.json", _json(lambda: openapi(table), openapi_servers, settings))
    application.router.add_get("/asyncapi.json", _json(asyncapi, asyncapi_servers, settings))
    for path, file in _FILES.items():
        application.router.add_get(path, _file(_PAGES / file))


def _json(
    make: Callable[[], Mapping[str, Any]], servers: Callable[[str], object], settings: Settings
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of a document. `servers` makes its list of servers from the base URL of the api."""
    made = cache(make)  # at the first request, which takes about 70 ms, and not at every start and in every test

    async def handle(request: web.Request) -> web.Response:
        # Only the answer to this request names its address, so that one client cannot choose what another one reads.
        document = {**made(), "servers": servers(_base_url(request, settings))}
        return web.Response(body=orjson.dumps(document), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    return handle


def _base_url(request: web.Request, settings: Settings) -> str:
    """Return the URL at which clients reach the api: PUBLIC_URL, or the address that this request was sent to."""
    if (public := address_elsewhere(settings)) is not None:
        return public
    return f"{request.scheme}://{request.host}" if is_host(request.host) else public_url(settings)


def _file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers=_HEADERS)

    return handle
