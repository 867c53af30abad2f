"""What holds for every page: it moves nothing for who wants no motion, and is cut on no screen and at no zoom."""

from collections.abc import Mapping, Sequence

import pytest
from playwright.async_api import Page, ViewportSize, expect

from api.pages.routes import PATHS
from tests.browser.chromium import OpenPage
from tests.browser.clinic import Clinic
from tests.browser.screens import fits
from tests.browser.staff import Staff

pytestmark = pytest.mark.browser

OPENED_BY: Mapping[str, Sequence[str]] = {
    "/": ["visitor"],
    "/sign-in": ["visitor"],
    "/sign-up": ["visitor"],
    "/forgotten": ["visitor"],
    "/book": ["visitor", "patient"],
    "/display": ["visitor"],
    "/mine": ["patient"],
    "/day": ["doctor"],
    "/figures": ["doctor"],
    "/account": ["doctor"],
    "/desk": ["receptionist"],
}
"""Who opens each page here."""
SCREENS: Sequence[ViewportSize] = (
    {"width": 320, "height": 640},  # also 1280 pixels at a zoom of 400 %
    {"width": 640, "height": 512},  # 1280 x 1024 at a zoom of 200 %
    {"width": 1920, "height": 1080},
)
MOVING = """() => {
  const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
  const found = document.getAnimations().map(({ animationName }) => animationName ?? "a transition");
  const looked = [...document.querySelectorAll("*")];
  const busy = document.querySelector("main button") ?? document.querySelector("button");
  busy.setAttribute("aria-busy", "true"); // as while a command is under way
  for (const each of looked)
    for (const part of [null, "::before", "::after"]) {
      const style = getComputedStyle(each, part);
      const moves = style.animationName !== "none" && lasts(style.animationDuration);
      if (moves || lasts(style.transitionDuration) || style.backgroundImage.includes("animation"))
        found.push(`${each.tagName}.${each.className}${part ?? ""}`);
    }
  busy.removeAttribute("aria-busy");
  if (getComputedStyle(document.documentElement).scrollBehavior === "smooth") found.push("scrolling");
  return found;
}"""
"""Returns what moves or would move: animations and transitions that last, and pictures that move by themselves."""


def test_each_page_is_looked_at() -> None:
    assert OPENED_BY.keys() == PATHS


@pytest.mark.parametrize("who", ["visitor", "patient", "doctor", "receptionist"])
async def test_a_page_moves_nothing_and_is_cut_nowhere(
    clinic: Clinic, staff: Staff, open_page: OpenPage, who: str
) -> None:
    match who:
        case "doctor":
            page, _ = await staff.sign_in(open_page, "fay", "/day")
        case "receptionist":
            page, _ = await staff.sign_in(open_page, "robin", "/desk")
        case _:
            page, _ = await open_page(clinic.url, reduced_motion="reduce")
    if who == "patient":
        await clinic.sign_up(page)
        await page.goto(clinic.booking)
        await page.locator("button.time").nth(30).click()
        await page.get_by_role("button", name="Book").click()
        await expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    paths = [path for path, people in OPENED_BY.items() if who in people]
    for path in paths + (["/nothing"] if who == "visitor" else []):
        await page.goto(clinic.booking if path == "/book" else clinic.url + path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.locator(".skeleton")).to_have_count(0)
        if path == "/book":
            await page.locator("button.time").nth(3).click()
        await page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        await look(page)


async def look(page: Page) -> None:
    """Fail if something moves, though nothing should, or is cut on some screen."""
    assert await page.evaluate(MOVING) == [], page.url
    await page.emulate_media(reduced_motion="no-preference")
    assert await page.evaluate(MOVING) != [], f"{page.url}: what moves is not found"
    await page.emulate_media(reduced_motion="reduce")
    for screen in SCREENS:
        await page.set_viewport_size(screen)
        await fits(page)
