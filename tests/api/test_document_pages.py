"""The pages of the documents: what they may load, and that they tell nobody of their visitors."""

import re

import pytest

from tests.api.rest_clinic import RestClinic

PAGES = ("/docs", "/redoc", "/redoc/sockets")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_nothing_from_another_host(clinic: RestClinic, path: str) -> None:
    async with clinic.client.get(path) as response:
        policy, page = response.headers["Content-Security-Policy"], await response.text()
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy.split("; "))
    assert not re.search(r"(src|href|spec-url)=\"(https?:)?//", page)
    assert not re.search(r"<script(?![^>]*src=)", page)


@pytest.mark.parametrize("path", ["/redoc", "/redoc/sockets"])
async def test_redoc_does_not_report_visits_to_its_maker(clinic: RestClinic, path: str) -> None:
    async with clinic.client.get(path) as response:
        assert re.search(r'<redoc [^>]*disable-telemetry="true"', await response.text())
