"""What doctors and receptionists do on their pages, on the real stack: by mouse, by keys, in two browsers at once."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, Page, expect

from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.records.mongo import connect
from tests.browser.clinic import PASSWORD, Clinic
from tests.browser.conftest import OpenPage
from tests.browser.staff import STILL, Staff, zone_of_noon
from tests.people import doctor, patient, receptionist, token, tokens_of
from tests.stack import Stack

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def staff(stack: Stack, clinic: Clinic) -> Staff:
    zone, hashed = zone_of_noon(), await hash_password(PASSWORD, 4)
    people = {
        "vera": doctor("doctor-vera", zone, name="Dr. Vera Day", password_hash=hashed),
        "will": doctor("doctor-will", zone, name="Dr. Will Week", password_hash=hashed),
        "robin": receptionist("receptionist-robin", name="Robin Vega", password_hash=hashed),
        "rosa": receptionist("receptionist-rosa", name="Rosa Lind", password_hash=hashed),
        "zora": patient("patient-zora", name="Zora Quill"),
        "zeno": patient("patient-zeno", name="Zeno Quirk"),
    }
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add(list(people.values())) is None
    await records.close()
    issuer = tokens_of(stack.settings, system_clock)
    return Staff(clinic.url, zone, people, {name: token(account, issuer) for name, account in people.items()})


def visits(page: Page) -> Locator:
    return page.get_by_role("list", name="Appointments", exact=True).get_by_role("listitem")


async def test_a_doctor_sees_who_arrives_and_leads_the_visits(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    await staff.book("zora", "vera", 0)
    later = await staff.book("zeno", "vera", 2)
    page, watch = await staff.sign_in(open_page, "vera", "/day")
    zora, zeno = (visits(page).filter(has_text=name) for name in ("Zora Quill", "Zeno Quirk"))
    await expect(zora).to_contain_text("Next · Not confirmed yet")
    await staff.change(later, "check-in")
    await expect(zeno).to_contain_text("Next · Arrived")
    await expect(page.locator("#announcements")).to_have_text("Zeno Quirk has arrived")
    await expect(page.get_by_role("region", name="Now and next")).to_contain_text("Zeno Quirk Arrived")

    await zeno.get_by_role("button", name="Call in").click()
    await expect(zeno).to_contain_text("In the room since")
    await expect(zeno.get_by_role("button", name="Done")).to_be_focused()
    await zeno.get_by_role("button", name="Done").click()
    await expect(zeno).to_contain_text("Done at")
    await expect(zeno.get_by_role("button")).to_have_count(0)

    await zora.get_by_role("button", name="Check in").click()
    await expect(zora.get_by_role("button", name="Call in")).to_be_focused()
    await clinic.axe(page)
    await zora.get_by_role("button", name="Undo").click()
    await expect(zora).to_contain_text("Not confirmed yet")
    await staff.book("zeno", "vera", 5)
    await expect(visits(page)).to_have_count(3)

    await page.get_by_role("button", name="Next day").click()
    await expect(page.get_by_text("No appointments on this day.")).to_be_visible()
    await expect(page).to_have_url(re.compile(f"date={staff.day(1)}"))
    await page.go_back()
    await expect(zora).to_be_visible()
    assert (watch.failed, watch.complaints) == ([], [])
    assert watch.hosts == {urlsplit(staff.url).netloc}


async def test_a_doctor_enters_time_off_and_prints_the_day(clinic: Clinic, staff: Staff, open_page: OpenPage) -> None:
    page, _ = await staff.sign_in(open_page, "will", f"/day?date={staff.day(3)}", color_scheme="dark")
    await expect(page.get_by_text("Hours on this day: 00:00 to 24:00")).to_be_visible()
    await expect(page.get_by_text("48 free times")).to_be_visible()
    await page.locator("summary", has_text="Add time off").click()
    await page.get_by_label("To").fill(f"{staff.day(3)}T00:00")
    await page.get_by_role("button", name="Add time off").click()
    await expect(page.get_by_text("The end has to be after the beginning.")).to_be_visible()
    await page.get_by_label("To").fill(f"{staff.day(3)}T12:00")
    await page.get_by_role("button", name="Add time off").click()
    await expect(page.get_by_text("Time off is added.")).to_be_visible()
    await expect(page.get_by_text("24 free times")).to_be_visible()
    await clinic.axe(page)
    await page.get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("48 free times")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_the_pages_of_the_staff_fit_small_screens_and_are_for_the_staff(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    small = {"viewport": {"width": 320, "height": 700}, "locale": "de-DE", **STILL}
    page, _ = await open_page(f"{staff.url}/sign-in?next=/mine", timezone_id=staff.zone, **small)
    await page.get_by_label("E-Mail").fill(staff.people["vera"].email or "")
    await page.get_by_label("Passwort").fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page).to_have_url(re.compile("/day"))  # that page is not for doctors
    await expect(page.get_by_text("Sprechzeiten an diesem Tag")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await clinic.axe(page)
