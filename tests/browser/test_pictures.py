"""Takes the README's pictures: the booking page and the desk of the seeded clinic, on a Tuesday morning."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub.ops.seeding.seed import SeedReport, seed
from hub.records.mongo import connect
from hub.settings import clock_settings
from tests.browser.chromium import WITHIN, OpenPage
from tests.browser.clinic import ROOT
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.slow]

MORNING = datetime(2026, 11, 24, 10, 10, tzinfo=UTC)
PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 760}


@pytest.mark.parametrize(
    ("name", "email", "password", "heading", "way"),
    [
        ("book", "patient1@clinic.test", "Patient#1", "My appointments", "/book"),
        ("desk", "desk1@clinic.test", "Desk#1", None, "/desk"),
    ],
)
async def test_a_picture_of_the_seeded_clinic(  # noqa: PLR0917  # the parameters of one case
    tmp_path: Path, open_page: OpenPage, name: str, email: str, password: str, heading: str | None, way: str
) -> None:
    expect.set_options(timeout=WITHIN)
    async with Stack(tmp_path, **clock_settings(MORNING, 1.0)) as stack:
        await stack.start_engines()
        records = connect(str(stack.settings.mongodb_url))
        await records.prepare()
        assert isinstance(await seed(records, MORNING), SeedReport)
        await records.close()
        await stack.start_phones()
        await stack.add_agents()
        await stack.add_api()
        page, _ = await open_page(
            f"{stack.base_url()}/sign-in", viewport=SIZE, locale="en-GB", timezone_id="Europe/London"
        )
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Sign in").click()
        if heading:
            await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await page.wait_for_url(lambda url: not url.endswith("/sign-in"))
        await page.goto(f"{stack.base_url()}{way}")
        await expect(page.get_by_role("button", name="10:30").first).to_be_visible()
        PICTURES.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
