"""The web application of the stub: Twilio's API, the control API and the page, with security headers."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib import resources
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

_PAGE: Final = (
    ("/", "index.html", "text/html"),
    ("/phones.css", "phones.css", "text/css"),
    ("/phones.js", "phones.js", "text/javascript"),
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    hdrs.CACHE_CONTROL: "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BODY_LIMIT = 64 * 1024


def application(routes: Iterable[web.RouteDef]) -> web.Application:
    """Return an application with these routes and the page."""
    app = web.Application(middlewares=[_every_request], client_max_size=_BODY_LIMIT)
    app.router.add_routes([*routes, *(_file(*each) for each in _PAGE), web.get("/favicon.ico", _no_icon)])
    return app


@web.middleware
async def _every_request(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    # Against DNS rebinding: a web page whose host name resolves to this machine would have the same origin as the stub.
    if _host(request) not in _LOOPBACK:
        raise web.HTTPMisdirectedRequest
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def _host(request: web.Request) -> str | None:
    try:
        return URL(f"http://{request.host}").host
    except ValueError:
        return None


def _file(path: str, name: str, content_type: str) -> web.RouteDef:
    content = resources.files("hub.ops.local.twilio_stub").joinpath("page", name).read_bytes()

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=content_type, charset="utf-8")

    return web.get(path, serve)


async def _no_icon(_: web.Request) -> web.Response:
    return web.Response(status=204)
