"""One browser for all tests; each test has pages of its own, which share nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.chromium import WITHIN, Watch, chromium

OpenPage = Callable[..., Awaitable[tuple[Page, Watch]]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens a page in a browser context of its own, or in a given one, and watches it."""
    contexts: list[BrowserContext] = []

    async def opener(url: str, context: BrowserContext | None = None, **options: object) -> tuple[Page, Watch]:
        if context is None:
            context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            context.set_default_timeout(WITHIN)
            contexts.append(context)
        page = await context.new_page()
        watch = Watch(page)
        await page.goto(url)
        return page, watch

    yield opener
    for context in contexts:
        await context.close()
