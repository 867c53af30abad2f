"""The page on which doctors and receptionists set up a second factor, and the sign-in that leads there by itself."""

import re
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pyotp
import pytest
from playwright.async_api import Page, Route, expect

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, Clinic
from tests.people import doctor, receptionist
from tests.stack import Stack

pytestmark = pytest.mark.browser

STILL = {"reduced_motion": "reduce", "permissions": ["clipboard-read", "clipboard-write"]}
DRAWN = """(uri) => import(new URL("../vendor/lean-qr.js", document.querySelector("script[type=module]").src))
  .then(({ generate }) => {
    const code = generate(uri), path = document.querySelector(".qr-code .dark").getAttribute("d");
    let dark = 0;
    for (let y = 0; y < code.size; y++) for (let x = 0; x < code.size; x++) {
      if (code.get(x, y) !== path.includes(`M${x} ${y}h`)) return `wrong at ${x}, ${y}`;
      dark += code.get(x, y);
    }
    return dark > 0;
  })"""


def code_of(secret: str, ahead: int = 0) -> str:
    """Return the code that the app shows now, or so many half minutes ahead."""
    return pyotp.TOTP(secret).at(system_clock() + ahead * timedelta(seconds=30))


async def add(stack: Stack, account: Account) -> None:
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add([account]) is None
    await records.close()


async def opens_with_the_password(clinic: Clinic, account: Account) -> bool:
    body = {"email": account.email, "password": PASSWORD}
    async with (
        aiohttp.ClientSession(clinic.url) as client,
        client.post(f"/api/v1/auth/{account.role}/login", json=body) as answer,
    ):
        return answer.status == HTTPStatus.OK


async def enter(page: Page, account: Account) -> None:
    """Sign in without a code."""
    await page.get_by_label("E-mail").fill(account.email or "")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")


async def shown_secret(page: Page) -> str:
    """Return the secret that the page shows to type, which is that of the link, and of the QR code."""
    uri = str(await page.get_by_role("link", name="Open the app").get_attribute("href"))
    secret = (await page.locator("code.key").inner_text()).replace(" ", "")
    assert parse_qs(urlsplit(uri).query)["secret"] == [secret]
    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert await page.evaluate(DRAWN, uri) is True
    return secret


async def set_up(clinic: Clinic, page: Page) -> list[str]:
    """Set up a second factor, with a wrong password and a wrong code first; return the recovery codes."""
    await page.get_by_label("Your password").fill("not-the-one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your password")).to_be_focused()
    await expect(page.get_by_label("Your password")).to_have_accessible_description("This is not your password.")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Add the clinic to your app")).to_be_focused()
    secret = await shown_secret(page)
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await clinic.axe(page)
    field = page.get_by_label("Code that the app shows now")
    await field.fill("12")
    await page.keyboard.press("Enter")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.fill(code_of(secret))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    await expect(page.locator("#announcements")).to_have_text("Sign-in in two steps is on.")
    codes = await page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    await page.get_by_role("button", name="Copy").click()
    await expect(page.locator("#announcements")).to_have_text("The codes are copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == "\n".join(codes)
    await clinic.axe(page)
    await page.emulate_media(media="print")
    await expect(page.locator(".codes li").last).to_be_visible()
    await expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    await page.emulate_media(media="screen")
    return codes


async def test_where_it_is_required_the_sign_in_leads_to_it_and_nothing_else_opens_before(
    stack: Stack, clinic: Clinic, open_page: OpenPage
) -> None:
    needed = await stack.add_api(environment={"STAFF_SECOND_FACTOR": "required"})
    url = stack.base_url(stack.apis.index(needed))
    robin = receptionist("receptionist-of-two-steps", password_hash=await hash_password(PASSWORD, 4))
    await add(stack, robin)
    page, _ = await open_page(f"{url}/sign-in?next=/desk?date=2026-12-01", **STILL)
    await enter(page, robin)
    factor = page.get_by_role("region", name="Sign-in in two steps")
    await expect(factor).to_contain_text("Nothing else opens before.")
    for path in ("/desk", "/", "/book", "/sign-in", "/day"):
        await page.goto(url + path)
        await expect(page).to_have_url(re.compile("/account"))
        await expect(factor.get_by_role("button", name="Set it up")).to_be_visible()
    await expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(0)
    await page.goto(f"{url}/desk?date=2026-12-01")
    await expect(factor.get_by_role("button", name="Set it up")).to_be_visible()
    await clinic.axe(page)

    codes = await set_up(clinic, page)
    await page.get_by_role("button", name="I have kept them").click()
    await expect(page).to_have_url(f"{url}/desk?date=2026-12-01")  # where one wanted to go
    await expect(page.get_by_role("table")).to_be_visible()

    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(f"{url}/")
    await page.goto(f"{url}/sign-in")
    await enter(page, robin)
    await page.get_by_label("Code").fill(codes[0])
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Account").click()
    await expect(factor).to_contain_text("9 recovery codes are left.")
    await factor.get_by_role("button", name="Turn it off…").click()
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_label("Code").fill(codes[1])
    await page.get_by_role("button", name="Turn it off").click()
    await expect(factor.get_by_text("Sign-in in two steps is off.")).to_be_focused()
    await expect(factor).to_contain_text("Nothing else opens before.")
    await stack.end(needed)


async def lose_answer(route: Route) -> None:
    await route.fetch()
    await route.abort()


async def confirm_without_an_answer(page: Page) -> str:
    """Confirm the second factor, and once more because the first answer is lost on the way; return the secret."""
    secret = await shown_secret(page)
    await page.route("**/second-factor/confirm", lose_answer, times=1)
    await page.get_by_label("Code that the app shows now").fill(code_of(secret))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("recovery codes were lost on the way")).to_be_focused()
    return secret


async def test_a_doctor_turns_it_on_gets_new_recovery_codes_and_turns_it_off_by_keyboard(
    stack: Stack, clinic: Clinic, open_page: OpenPage
) -> None:
    two = doctor("doctor-of-two-steps", password_hash=await hash_password(PASSWORD, 4))
    await add(stack, two)
    page, _ = await open_page(f"{clinic.url}/sign-in?next=/account", **STILL)
    await enter(page, two)
    factor = page.get_by_role("region", name="Sign-in in two steps")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Add the clinic to your app")).to_be_focused()
    await factor.get_by_role("button", name="Back").focus()
    await page.keyboard.press("Enter")
    await expect(factor.get_by_text("Sign-in in two steps is still off.")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    secret = await confirm_without_an_answer(page)

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Make new recovery codes…")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="New recovery codes")).to_be_focused()
    await factor.get_by_role("button", name="Back").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Make new recovery codes…")).to_be_focused()
    await page.keyboard.press("Enter")
    await clinic.axe(page)
    for text in (PASSWORD, "000000"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#code[aria-invalid=true]")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type(code_of(secret, 1))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    codes = await page.locator(".codes code").all_inner_texts()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # "I have kept them"
    await expect(factor.get_by_text("The codes are not shown again.")).to_be_focused()
    await expect(page.locator(".codes")).to_have_count(0)

    await page.get_by_role("button", name="Deutsch").click()
    await expect(page.get_by_text("10 Wiederherstellungscodes sind übrig.")).to_be_visible()
    await clinic.axe(page)
    await page.get_by_role("button", name="Ausschalten…").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Die Anmeldung in zwei Schritten ausschalten?")).to_be_focused()
    for text in (PASSWORD, codes[0]):
        await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Die Anmeldung in zwei Schritten ist ausgeschaltet.")).to_be_focused()
    assert await opens_with_the_password(clinic, two)
