"""One browser for all tests; each test has pages of its own, which share nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.ops.seeding.seed import SeedReport, seed
from hub.records.mongo import connect
from hub.settings import clock_settings
from tests.browser.chromium import WITHIN, OpenPage, Watch, chromium
from tests.browser.clinic import PASSWORD, ZONE, Clinic
from tests.browser.staff import Staff, zone_of_noon
from tests.people import doctor, patient, receptionist, token, tokens_of
from tests.stack import Stack

MORNING = datetime(2026, 11, 24, 10, 10, tzinfo=UTC)


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


@pytest.fixture(scope="session")
async def staff(stack: Stack, clinic: Clinic) -> Staff:
    """The people of that clinic whose work the pages for the staff show."""
    return await staff_of(stack, clinic)


@pytest.fixture(scope="module")
async def seeded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack of the seeded clinic, on a Tuesday morning."""
    expect.set_options(timeout=WITHIN)
    async with Stack(tmp_path_factory.mktemp("seeded"), **clock_settings(MORNING, 1.0)) as stack:
        await stack.start_engines()
        records = connect(str(stack.settings.mongodb_url))
        await records.prepare()
        assert isinstance(await seed(records, MORNING), SeedReport)
        await records.close()
        await stack.start_phones()
        await stack.add_agents()
        await stack.add_api()
        yield stack


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


async def staff_of(stack: Stack, clinic: Clinic) -> Staff:
    """Add doctors for whom it is noon, receptionists and patients."""
    zone, hashed = zone_of_noon(), await hash_password(PASSWORD, 4)
    people = {
        "vera": doctor("doctor-vera", zone, name="Dr. Vera Day", password_hash=hashed),
        "will": doctor("doctor-will", zone, name="Dr. Will Week", password_hash=hashed),
        "fay": doctor("doctor-fay", zone, name="Dr. Fay Figures", password_hash=hashed),
        "gus": doctor("doctor-gus", zone, name="Dr. Gus Keys", password_hash=hashed),
        "robin": receptionist("receptionist-robin", name="Robin Vega", password_hash=hashed),
        "rosa": receptionist("receptionist-rosa", name="Rosa Lind", password_hash=hashed),
        "zora": patient("patient-zora", name="Zora Quill"),
        "yara": patient("patient-yara", name="Yara Lane"),
        "zeno": patient("patient-zeno", name="Zeno Quirk"),
    }
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add(list(people.values())) is None
    await records.close()
    issuer = tokens_of(stack.settings, system_clock)
    return Staff(clinic.url, zone, people, {name: token(account, issuer) for name, account in people.items()})
