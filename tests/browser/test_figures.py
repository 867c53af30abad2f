"""The figures of a doctor on the real stack: the charts, their tables, and that they stay true while one looks."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage
from tests.browser.clinic import Clinic
from tests.browser.staff import Staff

pytestmark = pytest.mark.browser

CHARTS = ("Appointments by week", "Appointments by weekday", "Appointments by hour", "How long before they were booked")


async def table_of(page: Page, title: str) -> list[list[str]]:
    """Return the texts of the cells of a chart's table, without its head."""
    rows = page.get_by_role("region", name=title, exact=True).locator("tbody tr")
    return [await row.locator("th, td").all_inner_texts() for row in await rows.all()]


async def test_the_figures_are_those_of_the_statistics_and_change_with_them(
    clinic: Clinic, staff: Staff, open_page: OpenPage
) -> None:
    page, watch = await staff.sign_in(open_page, "fay", "/day")
    await page.get_by_role("link", name="Figures").click()
    await expect(page.get_by_text("Choose another month, or all months.")).to_be_visible()
    await clinic.axe(page)
    await page.get_by_role("button", name="All months").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("You have no appointments yet.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("All months")
    await page.go_back()

    sums = page.get_by_role("region", name="In short")
    done = await staff.book("yara", "fay", 0)
    await expect(sums).to_contain_text(re.compile(r"Appointments\s*1\s*Done\s*0\s*Still to come\s*1"))
    for step in ("check-in", "call-in", "complete"):
        await staff.change(done, step)
    await staff.change(await staff.book("zeno", "fay", 3), "cancel")
    await expect(sums).to_contain_text(re.compile(r"Appointments\s*2\s*Done\s*1\s*Still to come\s*0"))
    await expect(sums).to_contain_text("50% of all")
    await expect(sums).to_contain_text("of 1 visit")

    said = await staff.ask("fay", "GET", f"/appointments/stats/doctor/{staff.people['fay'].id}")
    assert isinstance(said, dict)
    for title in (*CHARTS, "Waiting time by hour of the appointment"):
        chart = page.get_by_role("region", name=title, exact=True)
        await expect(chart.get_by_role("img", name="Bar chart")).to_be_visible()
        await chart.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(chart.get_by_role("table")).to_be_visible()
    weekdays = [
        [str(tally[name]) for name in ("completed", "scheduled", "noShow", "cancelled", "total")]
        for tally in (each["tally"] for each in said["byWeekday"])
    ]
    assert [row[1:] for row in await table_of(page, CHARTS[1])] == weekdays
    leads = [str(group["count"]) for group in said["leadTimes"]["groups"]]
    assert [row[1] for row in await table_of(page, CHARTS[3])] == leads
    await clinic.axe(page)
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.get_by_role("img").first.hover()
    await expect(page.locator(".legend strong").first).to_be_visible()
    await page.get_by_role("button", name="Previous month").click()
    await expect(page.get_by_text("No appointments in")).to_be_visible()
    assert (watch.failed, watch.complaints) == ([], [])
    assert watch.hosts == {urlsplit(staff.url).netloc}


async def test_the_figures_are_for_doctors_and_others_are_told_so(staff: Staff, open_page: OpenPage) -> None:
    page, _ = await staff.sign_in(open_page, "robin", "/figures")
    await expect(page).to_have_url(re.compile("/desk"))
    await expect(page.get_by_role("status").filter(has_text="is not for your account")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("table")).to_be_visible()
    await expect(page.get_by_text("is not for your account")).to_have_count(0)
    visitor, _ = await open_page(f"{staff.url}/figures", locale="de-DE")
    await expect(visitor).to_have_url(re.compile("/sign-in"))
    await visitor.get_by_label("E-Mail").fill(staff.people["fay"].email or "")
    await visitor.get_by_label("Passwort").fill("Correct-horse-9")
    await visitor.get_by_role("button", name="Anmelden").click()
    await expect(visitor.get_by_role("button", name="Alle Monate")).to_be_visible()
