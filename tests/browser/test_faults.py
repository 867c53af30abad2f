"""A process is killed while somebody uses a page: what was done is done once, and said so after it is back."""

import re
import signal
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage
from tests.browser.clinic import Clinic
from tests.browser.conftest import clinic_of, staff_of
from tests.browser.staff import Staff
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.slow]

TIME = re.compile(r"^\d\d:\d\d$")


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack whose processes these tests kill."""
    async with Stack(tmp_path_factory.mktemp("faults")) as stack:
        await stack.start()
        yield stack


@pytest.fixture(scope="module")
async def clinic(own: Stack) -> Clinic:
    return await clinic_of(own)


@pytest.fixture(scope="module")
async def staff(own: Stack, clinic: Clinic) -> Staff:
    return await staff_of(own, clinic)


async def booked(stack: Stack, reason: str) -> list[str]:
    """Return the status of every appointment with this reason, from the record."""
    records = connect(stack.settings.mongodb_url)
    found = await records.appointments.page(AppointmentFilter(), 100)
    await records.close()
    return [each.status for each in found if each.reason == reason]


async def is_connected(page: Page) -> None:
    await expect(page.get_by_role("status").filter(has_text="No connection")).to_have_count(0)


@pytest.mark.parametrize("killed", ["api", "agents"])
async def test_a_booking_is_made_once_and_said_after_a_process_was_killed(
    killed: str, own: Stack, clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    await page.goto(clinic.booking)
    await page.get_by_role("button", name=TIME).nth(4).click()
    await page.get_by_label("Reason (optional)").fill(f"typed before {killed}")
    process = own.apis[0] if killed == "api" else own.agents[0]
    process.signal(signal.SIGSTOP)  # the command is on its way, and nobody answers it
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("button", name="Book")).to_have_attribute("aria-busy", "true")
    if killed == "api":
        await expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible()
    await own.restart(process)
    await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    await expect(page.get_by_text(f"typed before {killed}")).to_be_visible()
    await is_connected(page)
    assert await booked(own, f"typed before {killed}") == ["scheduled"]


@pytest.mark.parametrize(("killed", "half_hours"), [("api", 6), ("agents", 8)])
async def test_a_booking_of_the_desk_is_made_once_and_said_after_a_process_was_killed(
    killed: str, half_hours: int, own: Stack, staff: Staff, open_page: OpenPage
) -> None:
    page, _ = await staff.desk(open_page, "robin")
    await page.get_by_label("Find a patient").fill("zora")
    await page.get_by_role("list", name=re.compile("found")).get_by_role("button", name="Zora Quill").click()
    cell = staff.cell(page, "vera", half_hours)
    process = own.apis[0] if killed == "api" else own.agents[0]
    process.signal(signal.SIGSTOP)
    await cell.get_by_role("button").click()
    await expect(cell.get_by_role("button")).to_have_attribute("aria-busy", "true")
    await cell.get_by_role("button").click()  # once more, as impatient people do
    await own.restart(process)
    await expect(cell).to_contain_text("Zora Quill")
    await expect(page.locator("#announcements")).to_have_text(
        f"Zora Quill is booked: {staff.time(half_hours)}, Dr. Vera Day."
    )
    await expect(page.get_by_label("Find a patient")).to_be_visible()  # nobody is left to be booked
    await is_connected(page)
    found = await staff.ask("vera", "GET", "/appointments?limit=100")
    assert isinstance(found, list)
    at = staff.start(half_hours).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [each["status"] for each in found if each["start"] == at] == ["scheduled"]


async def test_pages_go_on_right_when_the_broker_has_lost_everything(
    own: Stack, clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    desk, _ = await staff.desk(open_page, "robin")
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    await page.goto(clinic.booking)
    await page.get_by_role("button", name=TIME).nth(6).click()
    await page.get_by_label("Reason (optional)").fill("over an empty broker")
    before = await staff.book("zora", "will", 10)
    await expect(staff.cell(desk, "will", 10)).to_contain_text("Zora Quill")

    await own.kill(own.broker)
    own.empty_broker()
    await own.restart(own.broker)
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    assert await booked(own, "over an empty broker") == ["scheduled"]
    await staff.book("zeno", "will", 12)
    await expect(staff.cell(desk, "will", 12)).to_contain_text("Zeno Quirk")
    await staff.change(before, "cancel")
    await expect(staff.cell(desk, "will", 10)).not_to_contain_text("Zora")
