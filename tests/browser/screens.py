"""Whether a page fits the screen that it is on."""

from playwright.async_api import Page

_CUT = """() => [...document.querySelectorAll(":is(header, main, footer) :is(a, button, input, select, summary)")]
  .filter((each) => each.checkVisibility() && !each.closest(".board, .unseen, .skip"))
  .filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    const text = !["INPUT", "SELECT"].includes(each.tagName) && each.clientWidth > 0;
    return left < 0 || right > innerWidth || (text && each.scrollWidth > each.clientWidth + 1);
  })
  .map((each) => each.outerHTML)"""
"""Returns what can be pressed and sticks out of the page or of its own box. The desk's table scrolls by itself."""


async def fits(page: Page) -> None:
    """Fail if the page scrolls sideways, or if something that can be pressed sticks out of it or of its own box."""
    about = f"{page.url} at {page.viewport_size}"
    wide = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], about
    assert await page.evaluate(_CUT) == [], about
