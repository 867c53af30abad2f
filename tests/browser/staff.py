"""Two doctors for whom it is noon, receptionists and patients, for the tests of the staff's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
from playwright.async_api import Locator, Page, expect

from hub.accounts.account import Account
from hub.clock import system_clock
from tests.browser.chromium import OpenPage, Watch
from tests.browser.clinic import PASSWORD

HALF_HOUR = timedelta(minutes=30)
STILL = {"reduced_motion": "reduce"}
"""So that axe does not measure a colour that is just changing."""


def zone_of_noon() -> str:
    """Return a zone in which it is about noon: so no test crosses the end of a day."""
    ahead = 12 - system_clock().hour
    return f"Etc/GMT{-ahead:+d}"  # the signs of these names are turned round


@dataclass(frozen=True)
class Staff:
    """The people by their names, and their tokens for what a test does over REST."""

    url: str
    zone: str
    people: Mapping[str, Account]
    tokens: Mapping[str, str]

    def start(self, half_hours: int) -> datetime:
        """Return the start of a slot: 0 is the next one."""
        now = system_clock()
        running = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
        return running + HALF_HOUR * (half_hours + 1)

    def time(self, half_hours: int) -> str:
        """Return what the clock of the doctors shows at that start, such as "12:30"."""
        return self.start(half_hours).astimezone(ZoneInfo(self.zone)).strftime("%H:%M")

    def day(self, days: int = 0) -> str:
        """Return today by the clock of the doctors, or a day after it, such as "2026-12-01"."""
        return str(system_clock().astimezone(ZoneInfo(self.zone)).date() + timedelta(days=days))

    async def ask(self, who: str, method: str, path: str, body: object = None) -> object:
        """Send a request as one of the people; return the JSON of the answer, which has to be a success."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with (
            aiohttp.ClientSession(self.url) as client,
            client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def book(self, patient: str, doctor: str, half_hours: int) -> str:
        """Book a slot for a patient; return the appointment's id."""
        start = self.start(half_hours).astimezone(UTC).isoformat()
        body = {"doctorId": self.people[doctor].id, "patientId": self.people[patient].id, "start": start}
        booked = await self.ask("robin", "POST", "/appointments", body)
        assert isinstance(booked, dict)
        return str(booked["id"])

    async def change(self, appointment_id: str, kind: str) -> None:
        """Change an appointment as a receptionist."""
        await self.ask("robin", "PATCH", f"/appointments/{appointment_id}/{kind}")

    async def sign_in(self, open_page: OpenPage, who: str, path: str, **options: object) -> tuple[Page, Watch]:
        """Open a page in a browser of its own, as one of the people, in the zone of the doctors."""
        page, watch = await open_page(
            f"{self.url}/sign-in?next={path}", **{**STILL, "timezone_id": self.zone, **options}
        )
        await page.get_by_label("E-mail").fill(self.people[who].email or "")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page, watch

    async def desk(self, open_page: OpenPage, who: str, **options: object) -> tuple[Page, Watch]:
        """Open the front desk of today."""
        page, watch = await self.sign_in(open_page, who, "/desk", **options)
        await expect(page.get_by_role("table")).to_be_visible()
        return page, watch

    def cell(self, page: Page, doctor: str, half_hours: int) -> Locator:
        """Return the cell of a doctor's slot in the table of the desk."""
        start = self.start(half_hours).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return page.locator(f"td:has([data-doctor='{self.people[doctor].id}'][data-start='{start}'])")
