"""Serves the pages and their files. No page loads anything from another host, and none has a script within."""

import re
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from api.pages.colors import icon, theme
from api.pages.files import Files
from api.pages.table import LANGUAGES, MISSING, PAGES, Language, Page
from hub.settings import Settings

PATHS: Final = frozenset(page.path for page in PAGES)
FILE_ROUTE: Final = "/pages/{version}/{name}"
"""The addresses of the files. The version is `<hash>-<language>`: each language is a folder with words of its own."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy. Forms are sent by scripts; the small pictures of Pico's stylesheet are `data:`."""
_PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    hdrs.CACHE_CONTROL: "no-cache",  # it names the files of one version, and is short
    hdrs.VARY: "Accept-Language, Cookie",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_LANGUAGE_COOKIE: Final = "clinic-hub-language"
"""The language that a person has chosen on a page."""
_WITHOUT_SCRIPT: Mapping[Language, str] = {
    "en": "This page needs JavaScript.",
    "de": "Diese Seite braucht JavaScript.",
}
_ACCEPTED: Final = re.compile(r"([a-zA-Z]+)[-\w]*(?:\s*;\s*q=([01](?:\.\d{1,3})?))?")


class Pages:
    """The pages of a clinic."""

    def __init__(self, settings: Settings) -> None:
        self._clinic = settings.clinic_name
        self._files = Files({"theme.css": theme(settings.clinic_color), "icon.svg": icon(settings.clinic_color)})

    def add_to(self, application: web.Application) -> None:
        """Serve every page, and the files."""
        for page in PAGES:
            application.router.add_get(page.path, self._shown(page))
        application.router.add_get(FILE_ROUTE.replace("{name}", "{name:.+}"), self._file)

    def missing(self, request: web.Request) -> web.Response | None:
        """Return the page for an address where there is nothing; None if it is not a browser that asks for a page."""
        if "text/html" not in request.headers.get(hdrs.ACCEPT, "") or request.path.startswith("/api/"):
            return None
        return self._page(MISSING, request, HTTPStatus.NOT_FOUND)

    def _shown(self, page: Page) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return self._page(page, request)

        return handle

    async def _file(self, request: web.Request) -> web.Response:
        version, _, language = request.match_info["version"].partition("-")
        try:
            file = self._files.translated(request.match_info["name"], language)
        except KeyError:
            raise web.HTTPNotFound from None
        # A page that another version has sent still gets its files, though not to keep.
        current = version == self._files.version
        headers = {
            hdrs.CONTENT_TYPE: file.media_type,
            hdrs.CACHE_CONTROL: _FOREVER if current else "no-store",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            return web.Response(body=file.gzipped, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
        return web.Response(body=file.content, headers=headers)

    def _page(self, page: Page, request: web.Request, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        language = language_of(request.cookies.get(_LANGUAGE_COOKIE), request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        files, clinic = f"/pages/{self._files.version}-{language}", escape(self._clinic)
        modules = "".join(f'\n    <link rel="modulepreload" href="{files}/{name}">' for name in _EVERYWHERE)
        styles = "".join(f'\n    <link rel="stylesheet" href="{files}/{name}">' for name in page.styles)
        text = f"""\
<!doctype html>
<html lang="{language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="clinic" content="{clinic}">
    <title>{page.title(language)} · {clinic}</title>
    <link rel="icon" href="{files}/icon.svg">
    <link rel="stylesheet" href="{files}/vendor/pico.classless.min.css">
    <link rel="stylesheet" href="{files}/theme.css">
    <link rel="stylesheet" href="{files}/shared/style.css">{styles}{modules}
    <script type="module" src="{files}/{page.module}"></script>
  </head>
  <body>
    <noscript><p>{_WITHOUT_SCRIPT[language]}</p></noscript>
  </body>
</html>
"""
        headers = {**_PAGE_HEADERS, hdrs.CONTENT_LANGUAGE: language}
        return web.Response(status=status, text=text, content_type="text/html", charset="utf-8", headers=headers)


_EVERYWHERE: Final = (
    "vendor/htm-preact.js",
    "vendor/socket.io.esm.min.js",
    "hub-client.js",
    "shared/frame.js",
    "shared/language.js",
    "shared/session.js",
    "shared/words.js",
)
"""The modules that every page imports. They are named in the page, so that they are not loaded one after the other."""


def language_of(chosen: str | None, accepted: str) -> Language:
    """Return the language that was chosen, or the best of an Accept-Language header."""
    wanted = [(chosen or "", 2.0), *((word, float(q or 1)) for word, q in _ACCEPTED.findall(accepted))]
    ours = [(language, q) for word, q in wanted for language in LANGUAGES if word.lower() == language and q > 0]
    return max(ours, key=lambda each: each[1], default=(LANGUAGES[0], 0.0))[0]
