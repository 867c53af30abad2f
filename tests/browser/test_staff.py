"""What doctors and receptionists do on their pages, on the real stack: by mouse, by keys, in two browsers at once."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, Clinic
from tests.browser.staff import STILL, Staff

pytestmark = pytest.mark.browser


def visits(page: Page) -> Locator:
    return page.get_by_role("list", name="Appointments", exact=True).get_by_role("listitem")


class HeldLine:
    """The line of a page to the hub, on which what the hub says waits while it is `held`."""

    def __init__(self) -> None:
        self.held = False
        self._waiting: list[str | bytes] = []

    def open(self, page: WebSocketRoute) -> None:
        self._page = page
        page.connect_to_server().on_message(self._said)

    def release(self) -> None:
        self.held = False
        for message in self._waiting:
            self._page.send(message)
        self._waiting.clear()

    def _said(self, message: str | bytes) -> None:
        if self.held:
            self._waiting.append(message)
        else:
            self._page.send(message)


def found(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=re.compile("found")).get_by_role("button", name=name)


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
    await expect(visits(page).filter(has_text="Zeno Quirk")).to_have_count(2)  # other files book here, too

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


async def test_two_desks_book_move_and_cancel_in_step(clinic: Clinic, staff: Staff, open_page: OpenPage) -> None:
    (here, watch), (there, _) = await asyncio.gather(
        staff.desk(open_page, "robin"), staff.desk(open_page, "rosa", color_scheme="dark")
    )
    await here.get_by_label("Find a patient").fill("quil zo")
    await found(here, "Zora Quill").click()
    await staff.cell(here, "will", 6).get_by_role("button").click()
    for page in (here, there):
        await expect(staff.cell(page, "will", 6)).to_contain_text("Zora Quill")
    await expect(here.locator("#announcements")).to_have_text(f"Zora Quill is booked: {staff.time(6)}, Dr. Will Week.")

    # The time first, then the patient, who is busy then: said in the cell, and another time can be clicked.
    await staff.cell(here, "vera", 6).get_by_role("button").click()
    await expect(here.get_by_label("Find a patient")).to_be_focused()
    await here.keyboard.type("zora")
    await found(here, "Zora Quill").click()
    await expect(staff.cell(here, "vera", 6).get_by_role("alert")).to_contain_text("another appointment at that time")
    await here.get_by_role("button", name="Choose somebody else").click()

    await staff.cell(there, "will", 6).locator("button").drag_to(staff.cell(there, "will", 7).locator("button"))
    await expect(staff.cell(here, "will", 7)).to_contain_text("Zora Quill")
    await staff.cell(there, "will", 7).get_by_role("button").click()
    dialog = there.get_by_role("dialog", name="Zora Quill")
    await dialog.get_by_role("button", name="Move…").click()
    await dialog.get_by_role("button", name=staff.time(8)).click()
    await expect(dialog).to_be_hidden()
    for page in (here, there):
        await expect(staff.cell(page, "will", 8)).to_contain_text("Zora Quill")
        await expect(staff.cell(page, "will", 6)).not_to_contain_text("Zora")

    await staff.cell(here, "will", 8).get_by_role("button").click()
    dialog = here.get_by_role("dialog", name="Zora Quill")
    await dialog.get_by_role("button", name="Cancel…").click()
    await clinic.axe(here)
    await dialog.get_by_label("Reason (optional)").fill("The patient has called")
    await dialog.get_by_role("button", name="Cancel the appointment").click()
    for page in (here, there):
        await expect(staff.cell(page, "will", 8)).not_to_contain_text("Zora")
    await expect(staff.cell(here, "will", 8).get_by_role("button")).to_be_focused()
    assert (watch.failed, watch.complaints) == ([], [])
    assert watch.hosts == {urlsplit(staff.url).netloc}


async def test_of_two_desks_that_take_one_time_the_second_is_told_so_where_it_has_clicked(
    staff: Staff, open_page: OpenPage
) -> None:
    (first, _), (late, _) = await asyncio.gather(staff.desk(open_page, "robin"), staff.desk(open_page, "rosa"))
    line = HeldLine()
    await late.route_web_socket(re.compile("socket.io"), line.open)
    await late.reload()
    for page, name in ((first, "Zora Quill"), (late, "Zeno Quirk")):
        await page.get_by_label("Find a patient").fill(name)
        await found(page, name).click()
    line.held = True  # so that it does not know of the first one's booking
    await staff.cell(first, "will", 10).get_by_role("button").click()
    await expect(staff.cell(first, "will", 10)).to_contain_text("Zora Quill")
    await staff.cell(late, "will", 10).get_by_role("button").click()
    await expect(staff.cell(late, "will", 10).get_by_role("button")).to_have_attribute("aria-busy", "true")
    line.release()
    await expect(staff.cell(late, "will", 10).get_by_role("alert")).to_have_text("That time has just been taken.")
    for page in (first, late):
        await expect(staff.cell(page, "will", 10).get_by_role("button")).to_have_text(re.compile("^Zora Quill"))
    await staff.cell(late, "will", 11).get_by_role("button").click()  # the patient is still chosen
    await expect(staff.cell(first, "will", 11)).to_contain_text("Zeno Quirk")


async def test_a_person_is_registered_booked_and_checked_in_by_keyboard_alone(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    page, _ = await staff.desk(open_page, "robin")
    await page.get_by_label("Doctors", exact=True).select_option("Dr. Vera Day")
    await clinic.axe(page)
    await page.get_by_label("Find a patient").focus()
    await page.keyboard.type("nobody at all")
    await expect(page.get_by_role("list").get_by_text("Nobody is found.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Find a patient")).to_have_value("")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # "New patient without a log-in"
    await page.keyboard.press("Tab")
    await page.keyboard.type("Ulla Unknown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("12")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Phone (optional)")).to_be_focused()
    await expect(page.get_by_text("This is not a phone number with the code of its country.")).to_be_visible()
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Delete")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Book for Ulla Unknown")).to_be_visible()

    focused = page.locator("td button:focus")
    await expect(focused).to_have_class(re.compile("open"))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(focused).to_contain_text("Ulla Unknown")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Ulla Unknown")
    await expect(dialog.get_by_role("heading")).to_be_focused()
    await expect(dialog).to_contain_text("no phone")
    await page.keyboard.press("Tab")
    await expect(dialog.get_by_role("button", name="Check in")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Arrived")
    await expect(dialog.get_by_role("button", name="Call in")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(focused).to_contain_text("Waiting 0 min")


async def test_a_desk_without_a_connection_says_so_and_is_true_again_afterwards(
    staff: Staff, open_page: OpenPage
) -> None:
    page, _ = await staff.desk(open_page, "rosa")
    await page.get_by_label("Find a patient").fill("zor")
    await page.context.set_offline(True)
    await expect(page.get_by_text("No connection.")).to_be_visible(timeout=10_000)
    await staff.book("zora", "vera", 12)
    await page.context.set_offline(False)
    await expect(staff.cell(page, "vera", 12)).to_contain_text("Zora Quill")
    await expect(page.get_by_text("No connection.")).to_have_count(0)
    assert await page.get_by_label("Find a patient").input_value() == "zor"


async def test_the_pages_of_the_staff_fit_small_screens_and_are_for_the_staff(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    small = {"viewport": {"width": 320, "height": 700}, "locale": "de-DE", **STILL}
    page, _ = await open_page(f"{staff.url}/sign-in?next=/desk", timezone_id=staff.zone, **small)
    await page.get_by_label("E-Mail").fill(staff.people["vera"].email or "")
    await page.get_by_label("Passwort").fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page).to_have_url(re.compile("/day"))  # the desk is not for doctors
    await expect(page.get_by_text("Sprechzeiten an diesem Tag")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await clinic.axe(page)


async def test_the_display_shows_who_is_called_until_its_link_is_ended(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    desk, _ = await staff.desk(open_page, "robin")
    await desk.get_by_label("Doctors", exact=True).select_option("Dr. Will Week")  # axe is slow with many
    await desk.get_by_text("Display in the waiting room").click()
    await desk.get_by_role("button", name="Make a link").click()
    link = await desk.get_by_role("link", name="/display#").inner_text()
    await clinic.axe(desk)
    room, watch = await open_page(link, timezone_id=staff.zone, **STILL)
    await expect(room.get_by_role("heading", name="Please come in")).to_be_visible()
    called = await staff.book("zora", "will", 1)
    await staff.change(called, "check-in")
    await staff.change(called, "call-in")
    call = room.get_by_role("log").get_by_role("listitem").filter(has_text=f"{staff.time(1)} Z. Q.")
    await expect(call).to_contain_text("Dr. Will Week")
    assert "Zora" not in await room.content()
    await clinic.axe(room)
    await staff.change(called, "complete")
    await expect(call).to_have_count(0)
    assert (watch.failed, watch.complaints) == ([], [])
    await desk.get_by_role("button", name="End the link").click()
    await expect(room.get_by_role("heading", name="This display is switched off")).to_be_visible()
