"""One browser for all tests; each test has pages of its own, which share nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from hub.accounts.passwords import hash_password
from hub.records.mongo import connect
from tests.browser.chromium import WITHIN, Watch, chromium
from tests.browser.clinic import PASSWORD, ZONE, Clinic
from tests.people import doctor, receptionist
from tests.stack import Stack

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


@pytest.fixture(scope="session")
async def clinic(stack: Stack) -> Clinic:
    """The clinic of all tests that end no process."""
    return await clinic_of(stack)


async def clinic_of(stack: Stack) -> Clinic:
    """Add a doctor who always works, and a receptionist with a first password."""
    expect.set_options(timeout=WITHIN)
    records = connect(stack.settings.mongodb_url)
    hashed = await hash_password(PASSWORD, 4)
    people = [
        doctor("doctor-of-pages", ZONE, name="Dr. Mia Moor", specialty="general practice"),
        receptionist("receptionist-of-pages", must_change_password=True, password_hash=hashed),
    ]
    assert await records.users.add(people) is None
    await records.close()
    return Clinic(stack.base_url(), people[0].id, people[1].email)
