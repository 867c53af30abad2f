"""The documents of the api, and the pages that show them. All of it comes from here: no page asks another host."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from api.documents.asyncapi import asyncapi
from api.documents.openapi import openapi
from api.http.endpoints import Endpoint
from api.http.request_reading import CONTENT_TYPE

_PAGES: Final = Path(__file__).parents[1] / "pages"
_FILES: Mapping[str, str] = {
    "/docs": "docs.html",
    "/docs/docs.js": "docs.js",
    "/docs/swagger-ui-bundle.js": "swagger-ui/swagger-ui-bundle.js",
    "/docs/swagger-ui.css": "swagger-ui/swagger-ui.css",
    "/redoc": "redoc.html",
    "/redoc/redoc.standalone.js": "redoc/redoc.standalone.js",
    "/redoc/sockets": "sockets.html",
}
"""By path, the file under `pages`."""

PATHS: frozenset[str] = frozenset({"/openapi.json", "/asyncapi.json", *_FILES})

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "  # both style their elements one by one
    "worker-src blob:; "  # ReDoc searches in a worker
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page may do: less than what they would, such as fetching a logo from their makers."""
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    hdrs.CACHE_CONTROL: "no-cache",  # kept, and asked for again each time: an answer 304 is short
}


def add_documents(application: web.Application, table: Sequence[Endpoint]) -> None:
    """Serve the documents of these endpoints and of the sockets."""
    application.router.add_get("/openapi.json", _json(lambda: openapi(table)))
    application.router.add_get("/asyncapi.json", _json(asyncapi))
    for path, file in _FILES.items():
        application.router.add_get(path, _file(_PAGES / file))


def _json(make: Callable[[], Mapping[str, Any]]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    @cache
    def written() -> bytes:
        return orjson.dumps(make())

    async def handle(_: web.Request) -> web.Response:
        # Made at the first request, in some 70 ms, and not before every start and every test.
        return web.Response(body=written(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    return handle


def _file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers=_HEADERS)

    return handle
