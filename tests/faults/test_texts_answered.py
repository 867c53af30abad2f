"""A text is sent, the phone answers, and the appointment changes: through the whole hub and the Twilio stub."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import aiohttp

from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import clock_settings, timekeeper
from hub.texting import wording
from hub.texting.text import TextStatus
from tests.people import doctor, patient, token, tokens_of
from tests.phones import Arrived, Phones
from tests.stack import Stack

SHOWN = datetime(2026, 11, 23, 6, 57, 20, tzinfo=UTC)
"""The hub's time when its processes start: they start, and the slot is booked, within forty seconds of real time."""
RATE = 4.0
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WHEN = "Mon 23 Nov, 11:00 AM"
WORDS = wording.Clinic("Clinic Hub", None)
TWILIOS_PATIENCE = 15.0
ADA = doctor("doctor-ada", "Europe/Berlin", name="Dr. Ada", phone="+12025550121")
CARL = patient("patient-carl", name="Carl", phone="+12025550123")


@dataclass(frozen=True)
class Desk:
    """The hub's REST api and Carl's phone."""

    stack: Stack
    phones: Phones
    records: Records
    client: aiohttp.ClientSession

    async def book(self) -> str:
        async with self.client.post(
            "/api/v1/appointments", json={"doctorId": ADA.id, "start": START.isoformat()}
        ) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    async def status(self, appointment_id: str) -> tuple[str, int]:
        async with self.client.get(f"/api/v1/appointments/{appointment_id}") as answer:
            shown = await answer.json()
            return shown["status"], shown["version"]

    async def arrived(self, phone: str | None, count: int, within: float = 60.0) -> list[Arrived]:
        """Wait for this number of texts to a phone. Fails when there are more."""
        end = monotonic() + within
        while True:
            found = [each for each in await self.phones.sent() if each.to == phone]
            if len(found) >= count:
                assert len(found) == count, found
                return found
            await asyncio.sleep(0.05)
            assert monotonic() < end, f"{len(found)} of {count} texts arrived; {await self.phones.state()}"


async def test_a_reminder_is_answered_and_the_appointment_changes(tmp_path: Path) -> None:
    async with Stack(tmp_path, texts_per_second=20.0) as stack:
        await stack.start_engines()
        stack.settings = stack.settings.model_copy(update=clock_settings(SHOWN, RATE))
        await stack.start_phones()
        await stack.add_agents()
        await stack.add_api()
        settings = stack.settings
        clock = timekeeper(settings)
        carls = {"Authorization": f"Bearer {token(CARL, tokens_of(settings, clock))}"}
        assert settings.mongodb_url
        assert CARL.phone
        assert settings.twilio_from_patient
        line = settings.twilio_from_patient
        records = connect(settings.mongodb_url)
        assert await records.users.add([ADA, CARL]) is None
        async with (
            Phones(stack.phones.port) as phones,
            aiohttp.ClientSession(stack.base_url(), headers=carls) as client,
        ):
            desk = Desk(stack, phones, records, client)
            appointment = await desk.book()
            assert clock() < START - timedelta(hours=3), "the machine was too slow for this test"
            (told_doctor,) = await desk.arrived(ADA.phone, 1)
            assert told_doctor.sender == settings.twilio_from_doctor

            _, reminder = await desk.arrived(CARL.phone, 2)
            assert (reminder.sender, reminder.body) == (line, wording.reminder(WORDS, WHEN))
            assert timedelta(0) <= reminder.at - (START - timedelta(hours=3)) < timedelta(seconds=5 * RATE)
            assert reminder.text_id
            await _delivered(records, reminder.text_id)

            confirmed = await phones.answer(CARL.phone, "1", line=line)
            assert (confirmed.status, confirmed.answer) == (200, wording.confirmed(WORDS, WHEN))
            standing = await desk.status(appointment)
            assert standing[0] == "confirmed"
            again = await phones.answer(CARL.phone, "1", line=line, message_sid=confirmed.message_sid)
            assert (again.status, again.answer) == (200, confirmed.answer)
            assert await desk.status(appointment) == standing

            await stack.kill(stack.agents[0])
            asked = monotonic()
            lost = await phones.answer(CARL.phone, "2", line=line)
            assert monotonic() - asked < TWILIOS_PATIENCE
            assert (lost.status, lost.answer) == (200, wording.try_later(WORDS))
            await stack.restart(stack.agents[0])
            cancelled = await phones.answer(CARL.phone, "2", line=line)
            assert (cancelled.status, cancelled.answer) == (200, wording.cancelled_by_patient(WORDS, WHEN))
            assert (await desk.status(appointment))[0] == "cancelled"
            await desk.arrived(CARL.phone, 2)  # whoever cancels is not told of it
            await desk.arrived(ADA.phone, 2)
        await records.close()


async def _delivered(records: Records, text_id: str) -> None:
    """Return when the hub has recorded the delivery of the text."""
    end = monotonic() + 10
    while True:
        text = await records.texts.by_id(text_id)
        assert text
        if text.status is TextStatus.DELIVERED:
            return
        await asyncio.sleep(0.05)
        assert monotonic() < end, text
