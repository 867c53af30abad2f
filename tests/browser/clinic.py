"""The clinic whose pages are tested: a doctor with many free times, and people who sign up as they are needed."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from playwright.async_api import Page, expect

from hub.clock import system_clock

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "Correct-horse-9"
ZONE = "Europe/Berlin"


@dataclass
class Clinic:
    """`doctor` is the id of a doctor who works in `ZONE`."""

    url: str
    doctor: str
    new_receptionist: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def booking(self) -> str:
        """The address at which one chooses a time of the day after tomorrow, which has them all."""
        day = system_clock().astimezone(ZoneInfo(ZONE)).date() + timedelta(days=2)
        return f"{self.url}/book?doctor={self.doctor}&date={day}"

    def new_account(self) -> Mapping[str, str]:
        """Return what somebody new writes into the sign-up, by the labels of the fields."""
        number = next(self._numbers)
        return {
            "Name": f"Pat Number {number}",
            "E-mail": f"browser{number}@clinic.test",
            "Phone": f"+1202555{number:04}",
            "Password": PASSWORD,
        }

    async def sign_up(self, page: Page) -> None:
        """Sign up somebody new in the browser of this page, which then shows the own appointments."""
        await page.goto(f"{self.url}/sign-up")
        for label, text in self.new_account().items():
            await page.get_by_label(label).fill(text)
        await page.get_by_role("button", name="Sign up").click()
        await expect(page.get_by_role("heading", name="My appointments")).to_be_visible()

    async def book(self, shown: str) -> None:
        """Book the slot that a page shows like "Tuesday, 1 December 2026, 09:30", for somebody else."""
        local = datetime.strptime(shown, "%A, %d %B %Y, %H:%M").replace(tzinfo=ZoneInfo(ZONE))
        account = self.new_account()
        body = {label.lower().replace("-", ""): text for label, text in account.items()}
        async with aiohttp.ClientSession(self.url) as client:
            async with client.post("/api/v1/auth/patient/signup", json=body) as answer:
                headers = {"Authorization": f"Bearer {(await answer.json())['accessToken']}"}
            wish = {"doctorId": self.doctor, "start": local.isoformat()}
            async with client.post("/api/v1/appointments", json=wish, headers=headers) as answer:
                assert answer.status == 201, await answer.text()

    async def in_module(self, page: Page, module: str, script: str) -> str:
        """Return a script that calls a function with what a module of the page in api/pages/shared exports."""
        own = await page.locator("script[type=module]").get_attribute("src")
        return f"import('/pages/{str(own).split('/')[2]}/shared/{module}.js').then({script})"

    async def axe(self, page: Page) -> None:
        """Fail if axe finds a violation of WCAG 2.2 AA or of good practice on the page, in dark colours of contrast."""
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(AXE.read_text())  # a script tag is what the policy forbids
        said = await self._violations(page, "{resultTypes: ['violations']}")
        assert not said, f"{page.url}: {said}"
        await page.emulate_media(color_scheme="dark")
        said = await self._violations(page, "{runOnly: ['color-contrast']}")
        assert not said, f"{page.url}, dark: {said}"
        await page.emulate_media(color_scheme="light")

    async def _violations(self, page: Page, options: str) -> list[str]:
        found = await page.evaluate(f"axe.run(document, {options})")
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]
