"""The documentation pages in a real browser: everything loads from the hub only, under its content security policy."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestServer

from api.app import build
from tests.api.rest_clinic import make_services
from tests.browser.chromium import chromium

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/docs", "document.querySelectorAll('.opblock').length > 10"),
        ("/redoc", "document.body.innerText.includes('/auth/patient/signup')"),
        ("/redoc/sockets", "document.body.innerText.includes('The default namespace')"),
    ],
)
async def test_the_page_shows_the_document_and_loads_nothing_from_elsewhere(
    path: str, shown: str, tmp_path: Path
) -> None:
    async with TestServer(build(await make_services()), access_log=None) as server, chromium(tmp_path) as page:
        here = str(server.make_url("/"))
        await page.resize(1280)  # ReDoc renders only what is in view
        await page.open(str(server.make_url(path)))
        await page.until(shown)
        await page.until("document.readyState === 'complete'")
        hosts = {urlsplit(url).netloc for url in page.requested if url.startswith(("http", "ws"))}
        assert hosts == {urlsplit(here).netloc}
        assert page.failed == []
        assert page.complaints == []


async def test_a_request_can_be_tried_out_on_the_page(tmp_path: Path) -> None:
    async with TestServer(build(await make_services()), access_log=None) as server, chromium(tmp_path) as page:
        await page.open(str(server.make_url("/docs#/server_time/time_now")))
        await page.until("document.querySelector('.opblock-summary-control') !== null")
        for button in ("#operations-server_time-time_now .try-out__btn", "#operations-server_time-time_now .execute"):
            await page.until(f"document.querySelector('{button}') !== null")
            await page.value_of(f"document.querySelector('{button}').click()")
        await page.until("document.querySelector('.live-responses-table')?.innerText.includes('unixMs')")
        assert (page.failed, page.complaints) == ([], [])


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/redoc", "/redoc/sockets"])
async def test_a_page_shows_no_note_of_its_maker_and_fits_the_screen(path: str, width: int, tmp_path: Path) -> None:
    async with TestServer(build(await make_services()), access_log=None) as server, chromium(tmp_path) as page:
        await page.resize(width)
        await page.open(str(server.make_url(path)))
        await page.until("document.body.innerText.includes('Servers')")
        await page.until("document.querySelector('a[href*=\"redocly.com\"]') !== null || innerWidth < 500")
        assert "API docs by" not in await page.value_of("document.body.innerText")
        assert await page.value_of("document.documentElement.scrollWidth") <= width


async def test_failures_on_a_page_are_detected(tmp_path: Path) -> None:
    async with TestServer(build(await make_services()), access_log=None) as server, chromium(tmp_path) as page:
        await page.open(str(server.make_url("/docs")))
        await page.until("document.querySelector('.opblock') !== null")
        await page.value_of("void fetch('nothing'); void fetch('http://127.0.0.2:9/'); 1")
        await page.until("window.waited = (window.waited || 0) + 1, window.waited > 3")
        assert any("404" in failure for failure in page.failed)
        assert page.complaints
