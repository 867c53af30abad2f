"""Pages that stay true while one looks: a connection is lost, a token expires, a log-in ends, clocks change."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import jwt
import pytest
from playwright.async_api import Page, Route, expect

from hub.accounts.passwords import hash_password
from hub.accounts.tokens import AccessTokens
from hub.clock import system_clock
from hub.ops.doctor_accounts import disable
from hub.ops.staff_accounts import disable_receptionist
from hub.records.mongo import connect
from hub.scheduling.values import Role
from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, ZONE, Clinic
from tests.browser.staff import Staff
from tests.people import doctor, receptionist
from tests.stack import Stack, until

pytestmark = pytest.mark.browser

TIME = re.compile(r"^\d\d:\d\d$")
SAID_AT = """() => {
  globalThis.saidAt = null;
  new MutationObserver(() => (globalThis.saidAt ??= document.querySelector(".connection p") && Date.now()))
    .observe(document.body, { subtree: true, childList: true });
}"""
"""Notes when the page says that the connection is lost."""
SLOW = 3
"""How many times as slow as a quiet machine this one may be."""


async def choose_a_time(clinic: Clinic, page: Page) -> tuple[str, str]:
    """Choose a time of the day after tomorrow, and write a reason; return the time and the slot as they are shown."""
    await page.goto(clinic.booking)
    button = page.get_by_role("button", name=TIME).nth(1)
    time = await button.inner_text()
    await button.click()
    await page.get_by_label("Reason (optional)").fill("typed before")
    return time, await page.locator(".choice .when strong").inner_text()


@pytest.mark.parametrize("kind", ["the network goes away", "the api is frozen"])
async def test_a_lost_connection_is_said_within_3_s_and_mended_and_nothing_typed_is_lost(
    kind: str, stack: Stack, clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    time, slot = await choose_a_time(clinic, page)
    await page.evaluate(SAID_AT)
    said = page.get_by_role("status").filter(has_text="No connection")
    lost_at = system_clock()
    if kind == "the api is frozen":
        await stack.pause(stack.apis[0])
        await expect(said).to_be_visible()
        await stack.resume(stack.apis[0])
    else:
        await page.context.set_offline(True)
        await expect(said).to_be_visible()
    took = await page.evaluate("saidAt") / 1000 - lost_at.timestamp()
    assert took < 3 * SLOW
    if kind == "the network goes away":
        await clinic.book(slot)
        await page.context.set_offline(False)
        await expect(page.get_by_role("button", name=time, exact=True)).to_have_count(0)
    await expect(said).to_have_count(0)
    await expect(page.locator("#announcements")).to_have_text("Connected again.")
    await page.get_by_role("button", name=TIME).first.click()
    await expect(page.get_by_label("Reason (optional)")).to_have_value("typed before")


@pytest.mark.parametrize("way", ["no answer", "a proxy answers 502"])
async def test_by_the_pages_own_clock_a_dead_connection_is_known_in_less_than_3_s(
    way: str, clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(f"{clinic.url}/book")
    await page.clock.install()
    await page.reload()
    await expect(page.get_by_label("Doctor")).to_be_visible()
    said = page.get_by_role("status").filter(has_text="No connection")

    async def answer(route: Route) -> None:
        if way != "no answer":
            await route.fulfill(status=502)

    async with page.expect_response("**/health/live"):
        await page.clock.run_for(1_300)  # a check has just gone well
    await page.route("**/health/live", answer)
    async with page.expect_request("**/health/live"):
        await page.clock.run_for(1_300)
    if way == "no answer":
        await expect(said).to_have_count(0)
        await page.clock.run_for(1_300)
    await expect(said).to_be_visible()
    await page.unroute("**/health/live")
    async with page.expect_response("**/health/live"):
        await page.clock.run_for(1_300)
    await expect(said).to_have_count(0)


async def test_a_token_that_expires_while_one_looks_is_renewed_without_a_word(
    stack: Stack, staff: Staff, open_page: OpenPage
) -> None:
    page, watch = await staff.desk(open_page, "rosa")
    expires: list[datetime] = []

    async def shorten(route: Route) -> None:
        answer = await route.fetch()
        said = await answer.json()
        if not expires:
            claims = jwt.decode(said["accessToken"], options={"verify_signature": False})
            secret, lifetime = stack.settings.jwt_secret_key.get_secret_value(), timedelta(seconds=9)
            expires.append(system_clock() + lifetime)
            tokens = AccessTokens(secret, lifetime, system_clock)
            said |= {"accessToken": tokens.issue(claims["sub"], Role.RECEPTIONIST, claims["sid"]), "expiresIn": 9}
        await route.fulfill(response=answer, json=said)

    await page.route("**/browser/refresh", shorten)
    await page.reload()
    await expect(page.get_by_role("table")).to_be_visible()
    await page.evaluate(SAID_AT)
    await until(lambda: system_clock() > expires[0], "the first token has expired", 30.0)
    await staff.book("yara", "vera", 14)
    await expect(staff.cell(page, "vera", 14)).to_contain_text("Yara Lane")
    await page.get_by_label("Find a patient").fill("zeno")
    await page.get_by_role("list", name=re.compile("found")).get_by_role("button", name="Zeno Quirk").click()
    await staff.cell(page, "will", 14).get_by_role("button").click()
    await expect(staff.cell(page, "will", 14)).to_contain_text("Zeno Quirk")
    assert len([url for url in watch.requested if url.endswith("/refresh")]) >= 2
    assert await page.evaluate("saidAt") is None
    assert watch.complaints == []


@pytest.mark.parametrize("role", ["receptionist", "doctor"])
async def test_somebody_who_is_disabled_while_looking_is_signed_out(
    role: str, stack: Stack, staff: Staff, open_page: OpenPage
) -> None:
    hashed = await hash_password(PASSWORD, 4)
    make, path, home = (receptionist, "/desk", "table") if role == "receptionist" else (doctor, "/day", "heading")
    account = make(f"{role}-who-leaves", name="Lee Leaver", password_hash=hashed)
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add([account]) is None
    page, _ = await open_page(f"{staff.url}/sign-in?next={path}")
    await page.get_by_label("E-mail").fill(account.email or "")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await expect(page.get_by_role(home).first).to_be_visible()
    if role == "receptionist":
        await disable_receptionist(records, account, system_clock)
    else:
        await disable(records, account.id, system_clock)
    await records.close()
    await expect(page.get_by_text("You have been signed out.")).to_be_visible()
    await page.get_by_label("E-mail").fill(account.email or "")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").filter(has_text=re.compile("."))).to_be_visible()
    await page.goto(f"{staff.url}{path}")
    await expect(page).to_have_url(re.compile("/sign-in"))


def clock_changes() -> dict[str, date]:
    """Return the next days on which the clocks of `ZONE` go forward and back."""
    zone = ZoneInfo(ZONE)
    today = system_clock().astimezone(zone).date()
    found: dict[str, date] = {}
    for day in (today + timedelta(days=number) for number in range(1, 366)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        tomorrow = day + timedelta(days=1)
        hours = (datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC) - midnight).seconds
        if hours == 23 * 3600:
            found.setdefault("forward", day)
        elif hours == 3600:  # 25 hours: a day and one hour
            found.setdefault("back", day)
    return found


async def test_on_days_of_a_clock_change_each_time_is_there_once_and_can_be_booked(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    days = clock_changes()
    page, _ = await open_page(clinic.url, timezone_id=ZONE)
    await clinic.sign_up(page)
    await page.goto(f"{clinic.url}/book?doctor={clinic.doctor}&date={days['forward']}")
    times = page.locator(".times button.time")
    await expect(times).to_have_count(46)
    shown = await times.all_inner_texts()
    assert (shown[3], shown[4]) == ("01:30", "03:00")
    await page.goto(f"{clinic.url}/book?doctor={clinic.doctor}&date={days['back']}")
    await expect(times).to_have_count(50)
    shown = await times.all_inner_texts()
    assert shown[4:8] == ["02:00 GMT+2", "02:30 GMT+2", "02:00 GMT+1", "02:30 GMT+1"]
    await page.get_by_role("button", name="02:30 GMT+1").click()
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    await page.goto(f"{clinic.url}/book?doctor={clinic.doctor}&date={days['back']}")
    await expect(page.get_by_role("button", name="02:30 GMT+2")).to_be_visible()
    await expect(page.get_by_role("button", name="02:30 GMT+1")).to_have_count(0)

    desk, _ = await staff.sign_in(open_page, "robin", f"/desk?date={days['back']}", timezone_id=ZONE)
    held = desk.locator(f"[data-doctor='{clinic.doctor}'].held")
    await expect(held).to_have_count(1)
    await expect(held).to_contain_text("02:30 GMT+1")


async def test_signing_out_everywhere_ends_the_desk_too(staff: Staff, open_page: OpenPage) -> None:
    pages = [(await staff.desk(open_page, "rosa"))[0] for _ in range(2)]
    script = "({session}) => session.ask('POST', '/api/v1/auth/logout/all')"
    own = await pages[0].locator("script[type=module]").get_attribute("src")
    module = f"/pages/{str(own).split('/')[2]}/shared/session.js"
    await pages[0].evaluate(f"void import('{module}').then({script})")  # it leads away before its answer
    await asyncio.gather(*(expect(page.get_by_text("You have been signed out.")).to_be_visible() for page in pages))
