"""Every task of the pages by the keyboard alone: where the focus goes, and what a screen reader is told."""

import re

import pytest
from playwright.async_api import Page, expect

from hub.accounts.passwords import hash_password
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, Clinic
from tests.browser.staff import Staff
from tests.people import receptionist
from tests.stack import Stack

pytestmark = pytest.mark.browser

TIME = r"^\d\d:\d\d$"
FOCUSED = """(() => {
  const at = document.activeElement;
  return at === document.body ? "nothing" : (at.getAttribute("aria-label") ?? at.textContent).trim();
})()"""
MOST_STEPS = 80


async def go_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on what has this name (a regular expression)."""
    for _ in range(MOST_STEPS):
        await page.keyboard.press(key)
        if re.search(name, await page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"{name} is not reached by {key}")


async def press(page: Page, name: str, key: str = "Tab") -> None:
    """Go to a button, a link or a summary by Tab, and press Enter."""
    await go_to(page, name, key)
    await page.keyboard.press("Enter")


async def announced(page: Page, text: str) -> None:
    await expect(page.locator("#announcements")).to_have_text(text)


async def test_a_patient_confirms_moves_cancels_and_changes_the_profile(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(f"{clinic.url}/sign-up", reduced_motion="reduce")
    await page.get_by_label("Name").focus()
    for text in clinic.new_account().values():
        await page.keyboard.type(text)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # "Sign up"
    await expect(page.get_by_role("heading", name="My appointments")).to_be_visible()
    await page.goto(clinic.booking)
    await page.locator("button.time").nth(20).click()
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("heading", name="You are booked")).to_be_focused()
    await press(page, "^See my appointments$")
    await expect(page.get_by_role("button", name="Confirm")).to_be_visible()

    await press(page, "^Confirm$")
    await announced(page, "Confirmed. Thank you.")
    await expect(page.locator(".cards h3")).to_be_focused()
    await press(page, "^Move$")
    await expect(page.get_by_role("heading", name="Choose a new time")).to_be_focused()
    await press(page, "Keep it as it is")
    await expect(page.get_by_role("button", name="Move")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("button.time").first).to_be_visible()
    await go_to(page, "^Keep it as it is$")
    await press(page, TIME, "Shift+Tab")
    notice = page.locator(".notice[role=status]")
    await expect(notice).to_be_focused()
    await expect(notice).to_contain_text("Moved to")
    await press(page, "^Cancel$")
    await expect(notice).to_contain_text("is cancelled")
    await expect(notice).to_be_focused()
    await press(page, "Book it again")
    await expect(notice).to_contain_text("Booked again.")
    await expect(notice).to_be_focused()

    await press(page, "^Profile$")
    await go_to(page, "^$")  # a field has no text
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("Pat of the Keys")
    await page.keyboard.press("Enter")
    await announced(page, "Saved.")
    await press(page, "^Change the password$")
    await page.keyboard.press("Tab")
    await page.keyboard.type("not-the-one")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Another-horse-7")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Current password")).to_be_focused()
    await expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    await press(page, "^Sign out$", "Shift+Tab")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()


async def test_a_doctor_leads_a_visit_and_enters_time_off(staff: Staff, open_page: OpenPage) -> None:
    page, _ = await staff.sign_in(open_page, "gus", "/day")
    await expect(page.get_by_text("No appointments on this day.")).to_be_visible()
    await staff.book("yara", "gus", 1)
    await announced(page, f"New appointment at {staff.time(1)}: Yara Lane")
    await press(page, "^Check in$")
    await announced(page, "Yara Lane has arrived")
    await expect(page.get_by_role("button", name="Call in")).to_be_focused()
    await page.keyboard.press("Enter")
    await announced(page, "Yara Lane is called in")
    await expect(page.get_by_role("button", name="Done")).to_be_focused()
    await go_to(page, "^Undo$")
    await page.keyboard.press("Enter")
    await announced(page, "Yara Lane is one step back")
    await expect(page.get_by_role("button", name="Undo")).to_be_focused()
    await press(page, "^Call in$", "Shift+Tab")
    await announced(page, "Yara Lane is called in")  # the next command waits for the answer to this one
    await expect(page.get_by_role("button", name="Done")).to_be_focused()
    await page.keyboard.press("Enter")
    await announced(page, "Yara Lane is done")
    await expect(page.get_by_role("group", name="What happens next")).to_be_focused()  # nothing is left to press

    await press(page, "^Next day$", "Shift+Tab")
    await expect(page).to_have_url(re.compile(staff.day(1)))
    await expect(page.get_by_role("heading", level=1)).to_have_attribute("aria-live", "polite")
    await expect(page.get_by_text("48 free times")).to_be_visible()
    await press(page, "^Add time off$")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("From")).to_be_focused()
    await press(page, "^Add time off$")
    await expect(page.get_by_role("status").filter(has_text="Time off is added.")).to_be_visible()
    await expect(page.get_by_text("1 free time")).to_be_visible()
    await press(page, "^Remove$", "Shift+Tab")
    await announced(page, "Time off is removed.")
    await expect(page.get_by_role("group", name="Hours and time off")).to_be_focused()
    await expect(page.get_by_text("48 free times")).to_be_visible()


async def test_a_receptionist_moves_cancels_and_makes_the_link_of_a_display(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    await staff.book("yara", "gus", 16)
    page, _ = await staff.desk(open_page, "rosa")
    await page.get_by_label("Doctors", exact=True).select_option("Dr. Gus Keys")
    times = await page.locator("tbody th").first.bounding_box()
    assert times is not None
    assert times["width"] < 100  # pixels: the one doctor has the rest
    await expect(staff.cell(page, "gus", 16)).to_contain_text("Yara Lane")
    await staff.cell(page, "gus", 16).get_by_role("button").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Yara Lane")
    await expect(dialog.get_by_role("heading").first).to_be_focused()
    await press(page, "^Move…$")
    await expect(dialog.locator("button.time").first).to_be_visible()
    await press(page, f"^{staff.time(18)}$")
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#announcements")).to_contain_text("Yara Lane is moved to")
    await expect(page.locator("td button:focus")).to_be_visible()
    await staff.cell(page, "gus", 18).get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("heading").first).to_be_focused()  # until then Tab leads on behind the dialog
    await press(page, "^Cancel…$")
    await expect(dialog.get_by_label("Reason (optional)")).to_be_focused()
    await page.keyboard.type("called")
    await page.keyboard.press("Enter")
    await announced(page, "The appointment of Yara Lane is cancelled.")
    # The answer may come before the event that draws the cell anew; the focus is looked at in the new cell.
    await expect(staff.cell(page, "gus", 18).locator("button.free")).to_be_focused()
    for key in ("Tab", "Shift+Tab"):
        await page.keyboard.press(key)
    await expect(staff.cell(page, "gus", 18).get_by_role("button")).to_be_focused()  # Tab comes back to where one was

    await press(page, "^Display in the waiting room$")
    await press(page, "^Make a link$")
    await announced(page, "The link is made. An earlier one does not work any more.")
    await go_to(page, "/display#", "Shift+Tab")
    await clinic.axe(page)
    await press(page, "^End the link$")
    await announced(page, "The link is ended.")
    await expect(page.get_by_role("link", name="/display#")).to_have_count(0)


async def test_a_first_password_is_changed(stack: Stack, clinic: Clinic, open_page: OpenPage) -> None:
    account = receptionist(
        "receptionist-of-keys", must_change_password=True, password_hash=await hash_password(PASSWORD, 4)
    )
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add([account]) is None
    await records.close()
    page, _ = await open_page(f"{clinic.url}/sign-in", reduced_motion="reduce")
    await page.get_by_label("E-mail").focus()
    await page.keyboard.type(account.email or "")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Choose your own password")).to_be_focused()
    await clinic.axe(page)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Tab")
    await page.keyboard.type("short")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("New password")).to_be_focused()
    await clinic.axe(page)
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Another-horse-7")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("table")).to_be_visible()
