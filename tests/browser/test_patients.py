"""What a patient does on the pages, on the real stack: sign up, book, confirm, move, cancel; by mouse and by keys."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, Page, expect

from hub.clock import system_clock
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, Clinic
from tests.stack import Stack

pytestmark = pytest.mark.browser

TIME = re.compile(r"^\d\d:\d\d$")


def times(page: Page) -> Locator:
    return page.get_by_role("button", name=TIME)


async def test_a_visitor_chooses_a_time_signs_up_books_and_manages_the_appointment(
    clinic: Clinic, open_page: OpenPage
) -> None:
    page, watch = await open_page(clinic.url)
    await page.get_by_role("link", name="Book an appointment").click()
    await page.get_by_label("Doctor").select_option("Dr. Mia Moor")
    await times(page).last.click()
    chosen = await page.locator(".choice .when strong").inner_text()
    await page.get_by_label("Reason (optional)").fill("a cough")
    await page.get_by_role("button", name="Book").click()

    await page.get_by_role("link", name="Sign up").click()
    for label, text in clinic.new_account().items():
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_label("Reason (optional)")).to_have_value("a cough")
    assert await page.locator(".choice .when strong").inner_text() == chosen
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("heading", name="You are booked")).to_be_focused()
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Add to calendar").click()
    file = (await (await downloading.value).path()).read_text()
    assert "SUMMARY:Appointment with Dr. Mia Moor" in file

    await page.get_by_role("link", name="See my appointments").click()
    mine = (
        page.get_by_role("list", name="Appointments", exact=True).get_by_role("listitem").filter(has=page.locator("h3"))
    )
    await expect(mine).to_have_count(1)
    await expect(mine).to_contain_text(chosen)
    await expect(mine).to_contain_text("a cough")
    await mine.get_by_role("button", name="Confirm").click()
    await expect(mine.locator(".status")).to_have_text("Confirmed")
    await expect(mine.get_by_role("heading", name=chosen)).to_be_focused()  # the button is gone

    await mine.get_by_role("button", name="Move").click()
    await expect(page.get_by_role("heading", name="Choose a new time")).to_be_focused()
    await times(page).last.click()
    await expect(page.get_by_text("Moved to")).to_be_visible()
    await expect(mine).to_have_count(1)
    assert chosen not in await mine.inner_text()

    moved = await mine.locator("h3").first.inner_text()
    await mine.get_by_role("button", name="Cancel").click()
    await expect(mine).to_have_count(0)
    await expect(page.get_by_text(f"The appointment on {moved} is cancelled.")).to_be_visible()
    await expect(page.get_by_text("You have no appointments.")).to_be_visible()
    await page.get_by_role("button", name="Book it again").click()
    await expect(mine).to_contain_text(moved)
    await page.get_by_text("Past and cancelled").click()
    await expect(page.locator("details[open] li")).to_have_count(1)
    assert (watch.failed, watch.complaints) == ([], [])
    assert watch.hosts == {urlsplit(clinic.url).netloc}


async def test_a_booking_by_keyboard_alone(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.booking)
    await clinic.sign_up(page)
    await page.goto(clinic.booking)
    await expect(times(page).first).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    for _ in range(40):
        await page.keyboard.press("Tab")
        if TIME.match(await page.evaluate("document.activeElement.textContent")):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Your appointment")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("by keys")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Book")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You are booked")).to_be_focused()
    await expect(page.get_by_text("Reason: by keys")).to_be_visible()


async def test_of_two_who_want_one_slot_one_gets_it_and_the_other_is_told_where_he_clicked(
    clinic: Clinic, open_page: OpenPage
) -> None:
    pages = [(await open_page(clinic.url))[0] for _ in range(2)]
    for page in pages:
        await clinic.sign_up(page)
        await page.goto(clinic.booking)
        await times(page).nth(8).click()
    time = await times(pages[0]).nth(8).inner_text()
    assert await times(pages[1]).nth(8).inner_text() == time
    # By script: a click by the mouse waits until the button is at rest, and by then the other may have the time.
    submit = [page.get_by_role("button", name="Book") for page in pages]
    await asyncio.gather(*(each.evaluate("button => button.click()") for each in submit))
    booked = [page.get_by_role("heading", name="You are booked") for page in pages]
    await expect(booked[0].or_(pages[0].get_by_role("alert").filter(has_text="taken"))).to_be_visible()
    await expect(booked[1].or_(pages[1].get_by_role("alert").filter(has_text="taken"))).to_be_visible()
    won = [await each.is_visible() for each in booked]
    assert sorted(won) == [False, True]
    loser = pages[won.index(False)]
    await expect(loser.get_by_role("button", name=time, exact=True)).to_have_count(0)
    await expect(loser.get_by_role("button", name="Book")).to_be_visible()  # what has the focus does not go away


async def test_a_time_that_somebody_else_takes_goes_away_by_itself(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    await page.goto(clinic.booking)
    time = await times(page).nth(2).inner_text()
    await times(page).nth(2).click()
    await clinic.book(await page.locator(".choice .when strong").inner_text())
    await expect(page.get_by_role("button", name=time, exact=True)).to_have_count(0)
    await expect(page.get_by_role("alert").filter(has_text=f"{time} has just been taken")).to_be_visible()


async def test_two_tabs_share_one_refresh_and_signing_out_in_one_ends_the_other(
    clinic: Clinic, open_page: OpenPage
) -> None:
    one, _ = await open_page(clinic.url)
    await clinic.sign_up(one)
    two, watch = await open_page(clinic.url + "/mine", one.context)
    await expect(two.get_by_role("heading", name="My appointments")).to_be_visible()
    assert not [url for url in watch.requested if url.endswith("/refresh")]  # the first tab gave it the token
    assert await two.evaluate("document.cookie") == ""
    assert "eyJ" not in await two.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    await one.reload()
    await expect(one.get_by_role("heading", name="My appointments")).to_be_visible()
    await one.get_by_role("button", name="Sign out").click()
    await expect(one.get_by_role("link", name="Sign in")).to_be_visible()
    await expect(two.get_by_role("button", name="Sign in")).to_be_visible()
    await expect(two.get_by_text("You have been signed out.")).to_be_visible()
    await one.goto(clinic.url + "/mine")
    await expect(one.get_by_role("button", name="Sign in")).to_be_visible()


async def test_a_log_in_that_is_ended_elsewhere_ends_on_the_page(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    await page.evaluate(
        await clinic.in_module(page, "session", "({session}) => session.ask('POST', '/api/v1/auth/logout/all')")
    )
    await expect(page.get_by_text("You have been signed out.")).to_be_visible()
    await expect(page).to_have_url(re.compile("/sign-in"))


async def test_wrong_entries_are_said_at_their_fields_and_nothing_typed_is_lost(
    clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(clinic.url + "/sign-up")
    for label, text in {**clinic.new_account(), "Phone": "12", "Password": "short"}.items():
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Sign up").click()
    phone = page.get_by_label("Phone")
    await expect(phone).to_be_focused()
    await expect(phone).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Password")).to_have_accessible_description(re.compile("8 to 72"))
    await expect(phone).to_have_value("12")
    await page.goto(clinic.url + "/sign-in")
    await page.get_by_label("E-mail").fill("nobody@clinic.test")
    await page.get_by_label("Password").fill("wrong-password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")


async def test_a_patient_changes_the_profile_and_the_password(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url)
    await clinic.sign_up(page)
    await page.get_by_text("Profile").click()
    await page.get_by_label("Name").fill("Pat of Today")
    await page.get_by_label("Phone").fill("12")
    await page.get_by_label("as a reminder").uncheck()
    await page.get_by_role("button", name="Save").click()
    phone = page.get_by_label("Phone")
    await expect(phone).to_be_focused()
    assert [await each.input_value() for each in (page.get_by_label("Name"), phone)] == ["Pat of Today", "12"]
    await phone.fill("+12025559999")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Your password")).to_be_focused()
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#announcements")).to_have_text("Saved.")

    await page.get_by_text("Change the password").click()
    await page.get_by_label("Current password").fill("not-the-one")
    await page.get_by_label("New password").fill("Another-horse-7")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_label("Current password")).to_be_focused()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("The password is changed").first).to_be_visible()
    await page.reload()
    await page.get_by_text("Profile").click()
    await expect(page.get_by_label("Name")).to_have_value("Pat of Today")
    await expect(page.get_by_label("as a reminder")).not_to_be_checked()


async def test_a_patient_deletes_the_account_after_a_second_question(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url, reduced_motion="reduce")
    await clinic.sign_up(page)
    other, _ = await open_page(clinic.url + "/mine", page.context)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "DELETE" else None)
    await page.locator("summary", has_text="Delete my account").focus()
    await page.keyboard.press("Enter")
    password, end = page.get_by_label("Password of this account"), page.get_by_role("button", name="Delete my account")
    await end.click()
    await expect(password).to_be_focused()
    await expect(password).to_have_accessible_description("This is not your password.")
    await password.fill("not-the-one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Delete everything for ever?")).to_be_focused()
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await clinic.axe(page)
    await page.get_by_role("button", name="Keep my account").click()
    await expect(end).to_be_visible()
    await end.click()
    await expect(page.get_by_role("heading", name="Delete everything for ever?")).to_be_focused()
    assert sent == []  # neither without a password nor before the second question
    await page.get_by_role("button", name="Yes, delete everything").click()
    await expect(password).to_be_focused()
    await expect(password).to_have_accessible_description("This is not your password.")
    assert len(sent) == 1
    await page.route("**/users/me", lambda route: route.abort(), times=1)  # as if the hub were away
    await password.fill(PASSWORD)
    await end.click()
    await page.get_by_role("button", name="Yes, delete everything").click()
    await expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    await expect(end).to_be_visible()
    await end.click()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your account is deleted. Your appointments are cancelled.")).to_be_visible()
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    await expect(other.get_by_text("You have been signed out.")).to_be_visible()


async def test_staff_sign_in_at_the_same_door_and_change_their_first_password(
    clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(clinic.url + "/sign-in")
    await page.get_by_label("E-mail").fill(clinic.new_receptionist)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Choose your own password")).to_be_focused()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_label("New password").fill("Another-horse-7")
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await page.goto(clinic.url + "/mine")  # for patients
    await expect(page).not_to_have_url(re.compile("/mine"))


async def test_the_pages_speak_german_to_who_asks_for_it_and_by_the_switch(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url + "/book", locale="de-DE")
    await expect(page.get_by_role("heading", name="Termin buchen")).to_be_visible()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Book an appointment")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "en"


async def test_the_zone_is_named_where_the_readers_clock_shows_another_time(
    clinic: Clinic, open_page: OpenPage
) -> None:
    page, _ = await open_page(clinic.booking, timezone_id="Asia/Tokyo")
    await expect(page.get_by_text("Time zone: Central European").first).to_be_visible()
    here, _ = await open_page(clinic.booking, timezone_id="Europe/Paris")
    await expect(times(here).first).to_be_visible()
    await expect(here.get_by_text("Time zone")).to_have_count(0)
    assert await times(here).first.inner_text() == await times(page).first.inner_text()


async def test_no_page_has_an_obstacle_that_axe_finds(clinic: Clinic, open_page: OpenPage) -> None:
    page, watch = await open_page(clinic.url, reduced_motion="reduce")  # colours change at once
    for path in ("/", "/sign-in", "/sign-up", clinic.booking.removeprefix(clinic.url)):
        await page.goto(clinic.url + path)
        await expect(page.get_by_role("heading").first).to_be_visible()
        await clinic.axe(page)
    await times(page).first.click()
    await clinic.axe(page)
    await clinic.sign_up(page)
    await page.goto(clinic.booking)
    await times(page).first.click()
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    await clinic.axe(page)
    await page.goto(clinic.url + "/mine")
    await page.get_by_role("button", name="Move").click()
    await page.get_by_text("Profile").click()
    await expect(times(page).first).to_be_visible()
    await clinic.axe(page)
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 700})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.goto(clinic.url + "/nothing")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    await clinic.axe(page)
    assert watch.hosts == {urlsplit(clinic.url).netloc}


async def test_tabs_whose_token_expires_refresh_it_once(clinic: Clinic, open_page: OpenPage) -> None:
    one, first = await open_page(clinic.url)
    await clinic.sign_up(one)
    two, second = await open_page(clinic.url + "/mine", one.context)
    await expect(two.get_by_role("heading", name="My appointments")).to_be_visible()
    renew = await clinic.in_module(one, "session", "async ({session}) => await session.renew(session.accessToken)")
    for watch in (first, second):
        watch.requested.clear()
    await asyncio.gather(one.evaluate(renew), two.evaluate(renew))
    assert len([url for url in first.requested + second.requested if url.endswith("/refresh")]) == 1
    token = await clinic.in_module(one, "session", "({session}) => session.accessToken")
    assert await one.evaluate(token) == await two.evaluate(token)


async def test_a_wrong_clock_of_the_reader_hides_no_free_time(clinic: Clinic, open_page: OpenPage) -> None:
    page, _ = await open_page(clinic.url)
    await page.clock.set_system_time(system_clock() + timedelta(days=9))
    await page.goto(clinic.booking)
    await expect(times(page).first).to_be_visible()
    assert await page.evaluate("Date.now()") > (system_clock() + timedelta(days=8)).timestamp() * 1000


async def test_a_phone_is_proven_and_a_forgotten_password_replaced_by_codes(
    clinic: Clinic, stack: Stack, open_page: OpenPage
) -> None:
    account = clinic.new_account()
    page, _ = await open_page(f"{clinic.url}/sign-up", reduced_motion="reduce")
    for label, text in account.items():
        await page.get_by_label(label).fill(text)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_role("heading", name="My appointments")).to_be_visible()

    await page.get_by_text("Prove your phone").click()
    await page.get_by_role("button", name="Send a code").click()
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Prove the phone").click()
    await expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    await clinic.axe(page)
    await page.get_by_label("Code").fill(await _texted_code(stack, account["E-mail"], 1))
    await page.keyboard.press("Enter")
    await expect(page.locator("#announcements")).to_contain_text("Your phone is proven.")
    await expect(page.get_by_text("Prove your phone")).to_have_count(0)
    await page.get_by_role("button", name="Sign out").click()

    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Forgotten password").click()
    await page.get_by_label("E-mail").fill(account["E-mail"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Forgotten password")).to_be_focused()
    await clinic.axe(page)
    await page.keyboard.press("Tab")
    await page.keyboard.type(await _texted_code(stack, account["E-mail"], 2))
    await page.get_by_label("New password").fill("password1")  # everybody's first guess
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("New password").fill("Another-horse-7")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You have a new password")).to_be_focused()
    await clinic.axe(page)
    await page.get_by_role("link", name="Sign in").last.click()
    await page.get_by_label("E-mail").fill(account["E-mail"])
    await page.get_by_label("Password").fill("Another-horse-7")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="My appointments")).to_be_visible()


async def _texted_code(stack: Stack, email: str, number: int) -> str:
    """Return the code of the text with this number among those to the account, when it has been sent."""
    records = connect(stack.settings.mongodb_url)
    account = await records.users.by_email(email)
    assert account
    codes: list[str] = []
    async with asyncio.timeout(60):
        while len(codes) < number:
            texts = await records.texts.to_person(account.id, datetime(2000, 1, 1, tzinfo=UTC))
            codes = [found.group() for each in texts if (found := re.search(r"\b\d{6}\b", each.body))]
    await records.close()
    return codes[0]  # the last one comes first
