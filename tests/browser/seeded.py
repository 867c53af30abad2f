"""Signing in at the seeded clinic, whose log-ins are public."""

from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage
from tests.stack import Stack

LOG_INS = {
    "patient": ("patient1@clinic.test", "Patient#1"),
    "doctor": ("doctor1@clinic.test", "Doctor#1"),
    "receptionist": ("desk1@clinic.test", "Desk#1"),
}
OPTIONS = {"locale": "en-GB", "timezone_id": "Europe/London", "reduced_motion": "reduce"}


async def signed_in(stack: Stack, open_page: OpenPage, role: str, **options: object) -> Page:
    """Open a page in a browser of its own in which somebody of this role is signed in."""
    email, password = LOG_INS[role]
    page, _ = await open_page(f"{stack.base_url()}/sign-in", **{**OPTIONS, **options})
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page
