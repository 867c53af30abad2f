"""The documentation pages in a real browser: everything loads from the hub only, under its content security policy."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from api.app import build
from tests.api.rest_clinic import make_services
from tests.browser.chromium import WITHIN, OpenPage

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[str]:
    async with TestServer(build(await make_services()), access_log=None) as server:
        yield str(server.make_url("/")).rstrip("/")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/docs", "/api/v1/auth/patient/signup"),
        ("/redoc", "/auth/patient/signup"),
        ("/redoc/sockets", "The default namespace"),
    ],
)
async def test_the_page_shows_the_document_and_loads_nothing_from_elsewhere(
    here: str, open_page: OpenPage, path: str, shown: str
) -> None:
    page, watch = await open_page(here + path)
    await expect(page.locator("body")).to_contain_text(shown, timeout=WITHIN)
    await page.wait_for_load_state("load")
    assert watch.hosts == {urlsplit(here).netloc}
    assert (watch.failed, watch.complaints) == ([], [])


async def test_a_request_can_be_tried_out_on_the_page(here: str, open_page: OpenPage) -> None:
    page, watch = await open_page(f"{here}/docs#/server_time/time_now")
    for button in (".try-out__btn", ".execute"):
        await page.locator(f"#operations-server_time-time_now {button}").click()
    await expect(page.locator(".live-responses-table")).to_contain_text("unixMs", timeout=WITHIN)
    assert (watch.failed, watch.complaints) == ([], [])


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/redoc", "/redoc/sockets"])
async def test_a_page_shows_no_note_of_its_maker_and_fits_the_screen(
    here: str, open_page: OpenPage, path: str, width: int
) -> None:
    page, _ = await open_page(here + path, viewport={"width": width, "height": 900}, is_mobile=width < 500)
    await expect(page.locator("body")).to_contain_text("Servers", timeout=WITHIN)
    if width > 500:
        await page.wait_for_selector('a[href*="redocly.com"]', state="attached")
    assert "API docs by" not in await page.inner_text("body")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_failures_on_a_page_are_detected(here: str, open_page: OpenPage) -> None:
    page, watch = await open_page(f"{here}/docs")
    await page.wait_for_selector(".opblock")
    await page.evaluate("Promise.allSettled([fetch('nothing'), fetch('http://127.0.0.2:9/')])")
    assert any("404" in failure for failure in watch.failed)
    assert watch.complaints
