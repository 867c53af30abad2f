"""Debian's Chromium, driven by Playwright: what a page has requested, what failed, and what it complained of."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
WITHIN = 60_000
"""Milliseconds that anything on a page may take: the machine may be slow."""


class Watch:
    """What happens on a page. `failed` are failed requests; `complaints` are errors of the console and of scripts."""

    def __init__(self, page: Page) -> None:
        self.requested: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("websocket", lambda line: self.requested.append(line.url))
        page.on("requestfailed", self._broken)
        page.on("response", self._answered)
        page.on("console", lambda said: self.complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def hosts(self) -> set[str]:
        """The hosts that were asked for anything."""
        return {urlsplit(url).netloc for url in self.requested if url.startswith(("http", "ws"))}

    def _broken(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by a page that goes elsewhere
            self.failed.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")


def _is_complaint(said: ConsoleMessage) -> bool:
    return said.type == "error" and not said.text.startswith("Deprecat")  # what Swagger UI says of itself


OpenPage = Callable[..., Awaitable[tuple[Page, Watch]]]
"""Opens a page, in a browser context of its own or in a given one, and watches it."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser. Fails without Chromium."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert program, "these tests need Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()
