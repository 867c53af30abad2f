"""Takes pictures of the seeded clinic: two for the README, and every page for who wants to look at all of them."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage
from tests.browser.clinic import ROOT
from tests.browser.full_days import full_day
from tests.browser.seeded import LOG_INS, OPTIONS, signed_in
from tests.browser.staff import Staff
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.slow]

PICTURES = ROOT / "docs" / "pictures"
SCREENSHOTS = ROOT / "screenshots"
SIZE = {"width": 1280, "height": 760}
WIDTHS = (1280, 768, 360)


@pytest.mark.parametrize(("name", "role"), [("book", "patient"), ("desk", "receptionist")])
async def test_a_picture_for_the_readme(seeded: Stack, open_page: OpenPage, name: str, role: str) -> None:
    page = await signed_in(seeded, open_page, role, viewport=SIZE)
    await page.goto(f"{seeded.base_url()}/{name}")
    await expect(page.get_by_role("button", name="10:30").first).to_be_visible()
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


async def take(page: Page, name: str, *, whole: bool = True) -> None:
    """Take the screenshots of a page in all widths and both schemes. It has to fit each width."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
            await page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=whole)


async def test_screenshots_of_every_page(seeded: Stack, open_page: OpenPage) -> None:
    url = seeded.base_url()
    visitor, _ = await open_page(url, **OPTIONS)
    for name, path in {"home": "/", "sign-in": "/sign-in", "sign-up": "/sign-up", "missing": "/nothing"}.items():
        await visitor.goto(url + path)
        await expect(visitor.get_by_role("heading", level=1)).to_be_visible()
        await take(visitor, name)

    patient = await signed_in(seeded, open_page, "patient")
    await expect(patient.get_by_role("button", name="Move").first).to_be_visible()
    await take(patient, "mine")
    await patient.get_by_role("button", name="Move").first.click()
    await patient.get_by_text("Profile").click()
    await expect(patient.locator("button.time").first).to_be_visible()
    await take(patient, "mine-open")
    await patient.goto(f"{url}/book")
    await patient.locator("button.time").nth(3).click()
    await take(patient, "book")

    doctor = await signed_in(seeded, open_page, "doctor")
    await expect(doctor.get_by_role("list", name="Appointments", exact=True)).to_be_visible()
    await take(doctor, "day")
    await doctor.goto(f"{url}/figures?month=all")
    await expect(doctor.get_by_role("img").last).to_be_visible()
    await take(doctor, "figures-all")
    await doctor.get_by_role("button", name="This month").click()
    await expect(doctor.get_by_role("img").last).to_be_visible()
    await doctor.locator("summary").first.click()
    await take(doctor, "figures")
    await doctor.get_by_role("link", name="Account").click()
    await doctor.get_by_label("Your password").fill(LOG_INS["doctor"][1])
    await take(doctor, "account")
    await doctor.get_by_role("button", name="Set it up").click()
    await expect(doctor.get_by_role("img", name="QR code")).to_be_visible()
    await take(doctor, "account-key")

    desk = await signed_in(seeded, open_page, "receptionist")
    await expect(desk.get_by_role("table")).to_be_visible()
    await take(desk, "desk", whole=False)
    await desk.locator("button.held").first.click()
    await take(desk, "desk-dialog", whole=False)
    await desk.keyboard.press("Escape")
    await desk.get_by_text("Display in the waiting room").click()
    await desk.get_by_role("button", name="Make a link").click()
    room, _ = await open_page(await desk.get_by_role("link", name="/display#").inner_text(), **OPTIONS)
    await expect(room.get_by_role("heading", level=1)).to_be_visible()
    await take(room, "display", whole=False)


async def test_screenshots_of_the_waitlist(stack: Stack, staff: Staff, open_page: OpenPage) -> None:
    full = await full_day(stack, staff, waiting=3)
    for number in (2, 3):
        await full.wait(number)
    page, _ = await full.sign_in(open_page, 4)
    await page.goto(full.booking)
    await page.get_by_text("Only on some weekdays").click()
    await take(page, "book-full")
    await page.get_by_role("button", name="Join the waitlist").click()
    await expect(page.get_by_role("heading", name="You are on the waitlist")).to_be_visible()
    await take(page, "book-waiting")
    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")
    mine, _ = await full.sign_in(open_page, 2)
    await expect(mine.get_by_role("button", name="Take it")).to_be_visible()
    await take(mine, "mine-offer")

    desk, _ = await staff.sign_in(open_page, "robin", f"/desk?date={full.day}")
    await desk.get_by_label("Doctors", exact=True).select_option(full.doctor.name)
    await desk.get_by_text(f"{full.doctor.name} (3)").click()
    await take(desk, "desk-waitlist")
    day, _ = await full.sign_in(open_page, full.doctor, f"/day?date={full.day}")
    await expect(day.get_by_role("button", name="Take out").first).to_be_visible()
    await take(day, "day-waitlist")
