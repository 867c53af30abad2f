"""The sign-up where it has to be confirmed: by the keyboard, with a code that comes by text."""

import asyncio
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from hub.records.mongo import connect
from hub.texting.text import NO_ACCOUNT
from tests.browser.chromium import OpenPage
from tests.browser.clinic import Clinic
from tests.browser.screens import fits
from tests.browser.test_keyboard import announced, press
from tests.stack import Stack

pytestmark = pytest.mark.browser

CONFIRMED = {"PHONE_VERIFICATION": "required", "SIGN_UP_CONFIRMATION": "required"}


async def texted_code(stack: Stack, phone: str, number: int) -> str:
    """Return the code of the text with this number among those to the phone, when it is there."""
    records = connect(stack.settings.mongodb_url)
    codes: list[str] = []
    async with asyncio.timeout(60):
        while len(codes) < number:
            await asyncio.sleep(0.1)
            texts = await records.texts.to_person(NO_ACCOUNT, datetime(2000, 1, 1, tzinfo=UTC))
            codes = [code for each in texts if each.phone == phone for code in re.findall(r"\b\d{6}\b", each.body)]
    await records.close()
    return codes[0]  # the last one comes first


async def test_a_sign_up_is_confirmed_by_the_keyboard_and_leads_where_one_wanted_to_go(
    clinic: Clinic, stack: Stack, open_page: OpenPage
) -> None:
    confirming = await stack.add_api(environment=CONFIRMED)
    url = stack.base_url(stack.apis.index(confirming))
    booking = clinic.booking.removeprefix(clinic.url)
    account = clinic.new_account()
    page, _ = await open_page(f"{url}/sign-up?next={quote(booking)}", reduced_motion="reduce")
    await page.get_by_label("Name").focus()
    for text in account.values():
        await page.keyboard.type(text)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # "Sign up"
    await expect(page.get_by_role("heading", name="Prove your phone")).to_be_focused()
    await expect(page.locator("#announcements")).to_contain_text(f"a code is on its way to {account['Phone']}")
    await texted_code(stack, account["Phone"], 1)
    await clinic.axe(page)

    await press(page, "^Correct what I have written$")
    await expect(page.get_by_label("Phone")).to_be_focused()
    await expect(page.get_by_label("Name")).to_have_value(account["Name"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Prove your phone")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Code")).to_be_focused()
    code = await texted_code(stack, account["Phone"], 2)
    await page.keyboard.type(f"{(int(code) + 1) % 1_000_000:06}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Code")).to_be_focused()
    await press(page, "^Send a new code$")
    await announced(page, "A new code is on its way. Only this one is good now.")
    await page.set_viewport_size({"width": 320, "height": 640})
    await fits(page)
    await clinic.axe(page)
    code = await texted_code(stack, account["Phone"], 3)
    for _ in range(2):  # over the button that creates the account
        await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_label("Code")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type(f"{code[:3]} {code[3:]}")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(url + booking)
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await expect(page.locator("button.time").first).to_be_visible()
    await page.goto(f"{url}/mine")
    await expect(page.get_by_role("heading", name="My appointments")).to_be_visible()
    await expect(page.get_by_text("Prove your phone")).to_have_count(0)
    await stack.end(confirming)
