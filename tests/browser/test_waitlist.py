"""The waitlist on the pages, on the real stack: one waits where a day is full, and takes what becomes free."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.chromium import OpenPage
from tests.browser.clinic import PASSWORD, Clinic
from tests.browser.full_days import full_day
from tests.browser.screens import fits
from tests.browser.staff import STILL, Staff
from tests.browser.test_keyboard import announced, press
from tests.stack import Stack

pytestmark = pytest.mark.browser


def listed(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=name, exact=True).get_by_role("listitem").filter(has=page.locator("h3"))


async def test_of_two_browsers_one_cancels_and_the_other_is_offered_the_time_and_takes_it(
    stack: Stack, clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=1)
    page, watch = await open_page(full.booking, **STILL, timezone_id=staff.zone)
    await expect(page.get_by_text("No free times on this day.")).to_be_visible()
    await expect(page.get_by_label("From")).to_have_value(full.day)
    await clinic.axe(page)
    await page.get_by_text("Only on some weekdays").click()
    await page.get_by_label("Not before").fill("12:00")
    await page.get_by_role("button", name="Join the waitlist").click()
    await page.get_by_label("E-mail").fill(full.email(2))
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Not before")).to_have_value("12:00")  # what was chosen is kept
    await clinic.axe(page)
    await page.get_by_role("button", name="Join the waitlist").click()
    await expect(page.get_by_role("heading", name="You are on the waitlist")).to_be_focused()
    await expect(page.get_by_text("You are the first in the line.")).to_be_visible()
    await expect(page.get_by_text("12:00 to 24:00")).to_be_visible()
    await clinic.axe(page)
    await page.get_by_role("link", name="See my appointments").click()
    await expect(listed(page, "Waitlist")).to_contain_text(full.doctor.name)

    other, _ = await full.sign_in(open_page, 0)
    await listed(other, "Appointments").get_by_role("button", name="Cancel").click()
    offer = listed(page, "Offered to you")
    await expect(offer).to_contain_text(full.time(0))
    await expect(offer).to_contain_text(re.compile(r"Kept for you until \d\d:\d\d · (30|29) minutes left"))
    await expect(page.locator("#announcements")).to_contain_text("A time is offered to you")
    await clinic.axe(page)
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 800})
        await fits(page)
    await offer.get_by_role("button", name="Take it").click()
    notice = page.locator(".notice[role=status]")
    await expect(notice).to_contain_text("You are booked")
    await expect(notice).to_be_focused()
    await expect(offer).to_have_count(0)
    await expect(listed(page, "Appointments")).to_contain_text(full.time(0))
    await expect(listed(page, "Waitlist")).to_have_count(0)  # the entry has done its work
    assert (watch.failed, watch.complaints) == ([], [])


async def test_in_german_one_waits_is_offered_a_time_and_takes_it(
    stack: Stack, clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=1)
    page, watch = await open_page(full.booking, **STILL, timezone_id=staff.zone, locale="de-DE")
    await page.get_by_role("button", name="Auf die Warteliste").click()
    await page.get_by_label("E-Mail").fill(full.email(2))
    await page.get_by_label("Passwort").fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    await page.get_by_role("button", name="Auf die Warteliste").click()
    await expect(page.get_by_role("heading", name="Sie stehen auf der Warteliste")).to_be_focused()
    await expect(page.get_by_text("Sie sind als Nächstes an der Reihe.")).to_be_visible()
    await clinic.axe(page)
    await page.get_by_role("link", name="Meine Termine ansehen").click()
    await expect(listed(page, "Warteliste")).to_contain_text(full.doctor.name)
    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")
    offer = listed(page, "Ihnen angeboten")
    await expect(offer).to_contain_text(re.compile(r"Für Sie frei gehalten bis \d\d:\d\d Uhr · noch (30|29) Minuten"))
    await expect(page.locator("#announcements")).to_contain_text("Ihnen wird eine Zeit angeboten")
    await clinic.axe(page)
    await offer.get_by_role("button", name="Annehmen").click()
    await expect(page.locator(".notice[role=status]")).to_contain_text("Ihr Termin ist gebucht")
    await expect(listed(page, "Termine")).to_contain_text(full.time(0))
    await expect(listed(page, "Warteliste")).to_have_count(0)
    assert (watch.failed, watch.complaints) == ([], [])


async def test_who_waits_passes_by_keys_sees_the_place_and_leaves_the_line(
    stack: Stack, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=2)
    page, _ = await full.sign_in(open_page, 2, f"/book?doctor={full.doctor.id}%26date={full.day}")
    await page.goto(full.booking)
    await press(page, "^Join the waitlist$")
    await expect(page.get_by_role("heading", name="You are on the waitlist")).to_be_focused()
    await full.wait(3)
    await page.reload()
    await expect(page.get_by_role("heading", name="You are on the waitlist")).to_be_visible()  # and is told so
    await expect(page.get_by_role("button", name="Join the waitlist")).to_have_count(0)
    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")
    await expect(page.get_by_role("status").filter(has_text="A time is offered to you")).to_be_visible()
    await press(page, "^Answer at “My appointments”$")

    await expect(listed(page, "Offered to you")).to_contain_text(full.time(0))
    await press(page, "^Pass$")
    notice = page.locator(".notice[role=status]")
    await expect(notice).to_contain_text("You keep your place in the line.")
    await expect(notice).to_be_focused()
    await expect(listed(page, "Offered to you")).to_have_count(0)
    await expect(listed(page, "Waitlist")).to_contain_text("You are the first in the line.")
    next_one, _ = await full.sign_in(open_page, 3)
    await expect(listed(next_one, "Offered to you")).to_contain_text(full.time(0))
    await expect(listed(next_one, "Waitlist")).to_contain_text("You are number 2 in the line.")
    await press(page, "^Leave the waitlist$")
    await expect(notice).to_contain_text(f"You do not wait for {full.doctor.name} any more.")
    await expect(notice).to_be_focused()
    await expect(listed(page, "Waitlist")).to_have_count(0)


async def test_an_offer_counts_down_and_goes_away_when_its_time_is_over_or_the_clinic_ends_it(
    stack: Stack, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=1)
    entry = await full.wait(2)
    page, _ = await full.sign_in(open_page, 2)
    await page.clock.install()
    await page.reload()
    await expect(listed(page, "Waitlist")).to_be_visible()
    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")
    offer = listed(page, "Offered to you")
    await expect(offer.get_by_role("timer")).to_have_text(re.compile("^(30|29) minutes left$"))
    await expect(offer.get_by_role("timer")).not_to_have_attribute("aria-live", "polite")
    await page.clock.fast_forward("20:30")
    await expect(offer.get_by_role("timer")).to_have_text(re.compile("^(9|10) minutes left$"))
    await announced(page, "10 minutes left")
    await offer.get_by_role("button", name="Take it").focus()
    await page.clock.fast_forward("09:45")
    notice = page.locator(".notice[role=status]")
    await expect(notice).to_contain_text("is over. You keep your place in the line.")
    await expect(offer).to_have_count(0)
    await expect(notice).to_be_focused()  # what had the focus is gone

    await page.reload()  # by the hub's clock the offer still stands
    await expect(offer).to_be_visible()
    await staff.ask("robin", "DELETE", f"/waitlist/{entry}")
    await expect(offer).to_have_count(0)
    await expect(notice).to_be_visible()
    await expect(listed(page, "Waitlist")).to_have_count(0)


async def test_the_desk_lets_somebody_wait_offers_a_time_out_of_turn_and_books_it_by_phone(
    stack: Stack, clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=2)
    paula, name = full.patients[3].name, full.doctor.name
    page, watch = await staff.sign_in(open_page, "robin", f"/desk?date={full.day}")
    await page.get_by_label("Find a patient").fill(paula)
    await page.get_by_role("list", name=re.compile("found")).get_by_role("button", name=paula).click()
    await page.get_by_text("Put on the waitlist").first.click()
    await page.get_by_label("waits for").select_option(name)
    await clinic.axe(page)
    await page.get_by_role("button", name="Put on the waitlist").click()
    await expect(page.locator("#announcements")).to_have_text(f"{paula} waits for {name}, at place 1.")
    await full.wait(2)  # by somebody else, while one looks
    await page.get_by_text(f"{name} (2)").click()
    line = page.get_by_role("list", name=f"Waiting for {name}").get_by_role("listitem").filter(has=page.locator("h3"))
    second = line.filter(has_text=full.patients[2].name)
    await second.get_by_role("button", name="Offer a time…").click()
    await expect(page.get_by_role("heading", name="Choose a free time")).to_be_focused()
    await clinic.axe(page)
    await page.get_by_role("button", name="Go to").click()
    await page.get_by_role("button", name=full.time(1), exact=True).last.click()
    await expect(page.locator("#announcements")).to_contain_text("is offered")
    await expect(second.get_by_role("button", name="Offer a time…")).to_be_focused()

    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")  # is offered to the first one
    cell = page.locator(f"td button[data-doctor='{full.doctor.id}'].offered")
    await expect(cell).to_contain_text(re.compile(rf"{paula}Offered until \d\d:\d\d"))
    await expect(line.filter(has_text=paula)).to_contain_text("Offered: ")
    await clinic.axe(page)
    await cell.click()
    dialog = page.get_by_role("dialog", name=paula)
    await clinic.axe(page)
    await dialog.get_by_role("button", name="Book for the patient").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#announcements")).to_have_text(f"{paula} is booked.")
    await expect(page.get_by_text(f"{name} (1)")).to_be_visible()  # the entry has done its work
    # A refusal would be where one clicked, so the focus stays there until the hub has answered.
    stays = "button => { button.focus(); button.click(); return document.activeElement === button; }"
    assert await second.get_by_role("button", name="Take out").evaluate(stays)
    await expect(page.get_by_role("heading", name="Waitlist")).to_be_focused()
    await expect(page.locator("#announcements")).to_have_text(f"{full.patients[2].name} is taken off the waitlist.")
    await expect(line).to_have_count(0)
    assert (watch.failed, watch.complaints) == ([], [])


async def test_a_doctor_sees_the_line_and_answers_offers_by_keys(
    stack: Stack, clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    full = await full_day(stack, staff, waiting=2)
    for number in (2, 3):
        await full.wait(number)
    page, _ = await full.sign_in(open_page, full.doctor, f"/day?date={full.day}")
    line = page.get_by_role("list", name=f"Waiting for {full.doctor.name}").get_by_role("listitem")
    await expect(line).to_have_count(2)
    await full.ask(0, "PATCH", f"/appointments/{full.booked[0]}/cancel")
    visits = page.get_by_role("list", name="Appointments", exact=True)
    first, second = (full.patients[number].name for number in (2, 3))
    await expect(visits.get_by_role("listitem").filter(has_text=first)).to_contain_text("Offered until")
    await expect(page.get_by_text("1 offered from the waitlist")).to_be_visible()
    await clinic.axe(page)
    await expect(page.get_by_text("Offered: ")).to_be_visible()
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        await fits(page)
    await press(page, "^Pass for the patient$")
    await expect(visits).to_be_focused()  # the buttons are gone
    await expect(visits.get_by_role("listitem").filter(has_text=second)).to_contain_text("Offered until")
    await expect(visits).not_to_contain_text(first)
    await press(page, "^Book for the patient$")
    await expect(page.get_by_role("heading", name=second).first).to_be_focused()
    await expect(line).to_have_count(1)
    await press(page, "^Take out$")
    await announced(page, f"{first} is taken off the waitlist.")
    await expect(page.get_by_text("Nobody waits.")).to_be_visible()

    await page.goto(f"{staff.url}/figures?month=all")
    chart = page.get_by_role("region", name="Offers from the waitlist")
    await expect(chart).to_contain_text("1 slot was taken, ")
    await expect(chart.get_by_role("img", name="Bar chart")).to_be_visible()
    await chart.locator("summary").click()
    await expect(chart.get_by_role("row")).to_have_text(
        ["AnswerOffers", "Taken1", "Passed1", "None0", "Open0"], use_inner_text=False
    )
    await clinic.axe(page)
