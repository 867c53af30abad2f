"""Doctors whose next day is booked out, and people who wait for a time of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.clock import system_clock
from hub.ids import instance_id
from hub.records.mongo import connect
from tests.browser.chromium import OpenPage, Watch
from tests.browser.clinic import PASSWORD
from tests.browser.staff import HALF_HOUR, STILL, Staff
from tests.people import doctor, patient, token, tokens_of, weekly
from tests.stack import Stack


@dataclass(frozen=True)
class FullDay:
    """The day after today of a doctor who works for an hour, for whom it is about noon now.

    `booked` are the appointments of the two half hours, of the first two `patients`. The others could wait.
    """

    staff: Staff
    doctor: Account
    day: str
    starts: Sequence[datetime]
    booked: Sequence[str]
    patients: Sequence[Account]

    @property
    def booking(self) -> str:
        """The address at which one chooses a time of that day."""
        return f"{self.staff.url}/book?doctor={self.doctor.id}&date={self.day}"

    def time(self, number: int) -> str:
        """Return what the doctor's clock shows at the start of a half hour."""
        return self.starts[number].strftime("%H:%M")

    def email(self, number: int) -> str:
        """Return the e-mail of a patient."""
        return str(self.patients[number].email)

    async def ask(self, number: int, method: str, path: str, body: object = None) -> object:
        """Send a request as one of the patients."""
        return await self.staff.ask(self.patients[number].id, method, path, body)

    async def wait(self, number: int) -> str:
        """Let a patient wait for this day; return the id of the entry."""
        wish = {"doctorId": self.doctor.id, "from": self.day, "to": self.day}
        joined = cast("Mapping[str, str]", await self.ask(number, "POST", "/waitlist", wish))
        return joined["id"]

    async def sign_in(
        self, open_page: OpenPage, who: int | Account, path: str = "/mine", **options: object
    ) -> tuple[Page, Watch]:
        """Open a page in a browser of its own, as one of the patients or as the doctor, in the zone of the doctor."""
        account = self.patients[who] if isinstance(who, int) else who
        options = {**STILL, "timezone_id": self.staff.zone, **options}
        page, watch = await open_page(f"{self.staff.url}/sign-in?next={path}", **options)
        await page.get_by_label("E-mail").fill(str(account.email))
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        return page, watch


async def full_day(stack: Stack, staff: Staff, *, waiting: int) -> FullDay:
    """Add a doctor with a full day, and as many patients who could wait as are `waiting`."""
    name, hashed = instance_id(), await hash_password(PASSWORD, 4)
    zone = ZoneInfo(staff.zone)
    who = doctor(f"doctor-{name}", staff.zone, weekly(12, 13), name=f"Dr. Full {name}", password_hash=hashed)
    patients = [
        patient(f"full{number}-{name}", name=f"Paula {number} {name}", password_hash=hashed)
        for number in range(2 + waiting)
    ]
    records = connect(stack.settings.mongodb_url)
    assert await records.users.add([who, *patients]) is None
    await records.close()
    issuer = tokens_of(stack.settings, system_clock)
    tokens = {**staff.tokens, **{each.id: token(each, issuer) for each in [who, *patients]}}
    own = Staff(staff.url, staff.zone, staff.people, tokens)
    day = system_clock().astimezone(zone).date() + timedelta(days=1)
    first = datetime.combine(day, time(12), zone)
    starts = [first, first + HALF_HOUR]
    booked = [
        cast(
            "Mapping[str, str]",
            await own.ask(each.id, "POST", "/appointments", {"doctorId": who.id, "start": start.isoformat()}),
        )["id"]
        for each, start in zip(patients[:2], starts, strict=True)
    ]
    return FullDay(own, who, str(day), starts, booked, patients)
