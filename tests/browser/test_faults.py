"""A process is killed while somebody books on a page: it is booked once, and said so after the process is back."""

import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage
from tests.browser.conftest import clinic_of
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.slow]

TIME = re.compile(r"^\d\d:\d\d$")


@pytest.mark.parametrize("killed", ["api", "agents"])
async def test_a_booking_is_made_once_and_said_after_a_process_was_killed(
    killed: str, tmp_path: Path, open_page: OpenPage
) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        clinic = await clinic_of(stack)
        page, _ = await open_page(clinic.url)
        await clinic.sign_up(page)
        await page.goto(clinic.booking)
        await page.get_by_role("button", name=TIME).nth(4).click()
        await page.get_by_label("Reason (optional)").fill("typed before")
        process = stack.apis[0] if killed == "api" else stack.agents[0]
        process.signal(signal.SIGSTOP)  # the command is on its way, and nobody answers it
        await page.get_by_role("button", name="Book").click()
        await expect(page.get_by_role("button", name="Book")).to_have_attribute("aria-busy", "true")
        if killed == "api":
            await expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible()
        await stack.restart(process)
        await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
        await expect(page.get_by_text("typed before")).to_be_visible()
        await expect(page.get_by_role("status").filter(has_text="No connection")).to_have_count(0)
        records = connect(stack.settings.mongodb_url)
        booked = await records.appointments.page(AppointmentFilter(), 10)
        await records.close()
        assert [each.status for each in booked] == ["scheduled"]
