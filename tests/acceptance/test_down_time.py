"""Deadlines that came due while no agents process ran are handled at its start."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD
from hub.settings import clock_settings
from hub.texting import wording
from tests.acceptance.running_hub import running_hub
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.stack]

RATE = 300.0
MORNING = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = wording.Clinic("Clinic Hub", None)


async def test_a_late_reminder_is_sent_before_the_appointment_and_a_missed_one_is_a_no_show_at_once(
    tmp_path: Path,
) -> None:
    async with Stack(tmp_path, **clock_settings(MORNING, RATE), texts_per_second=100.0) as stack:
        await stack.start(agents=2)
        async with running_hub(stack) as hub:
            doctor, patients = await hub.doctor(), [await hub.patient() for _ in range(3)]
            went_down = hub.clock()
            over, begun, coming = [hub.slot_in(ahead) for ahead in (3.5 * HOUR, 4.5 * HOUR, 7.5 * HOUR)]
            visits = [
                (await hub.booked(patient, doctor, start)).id
                for patient, start in zip(patients, (over, begun, coming), strict=True)
            ]
            for patient in patients:
                await hub.until_text(patient, 1)
            await asyncio.gather(*(stack.kill(process) for process in stack.agents))
            assert hub.clock() < over - REMINDER_LEAD, "the machine was too slow for this test"

            await hub.show(went_down + 5 * HOUR)
            up_again = hub.clock()
            await asyncio.gather(*(stack.restart(process) for process in stack.agents))
            for id_, type_ in zip(visits, ("no_show", "reminder_missed", "reminded"), strict=True):
                await hub.until_told(doctor, id_, type_)
            assert doctor.told(visits[0]) == ["booked", "reminder_missed", "no_show"]
            reminder = await hub.until_text(patients[2], 2)
            assert reminder.body == wording.reminder(WORDS, wording.local_time(coming, "UTC"))
            assert up_again <= reminder.at <= coming - timedelta(minutes=30)

            await hub.until_told(doctor, visits[1], "no_show", within=30)
            await hub.until_told(doctor, visits[2], "no_show", within=60)
            histories = [(await hub.appointment(id_)).history for id_ in visits]
            assert [[event.type for event in history] for history in histories] == [
                ["booked", "reminder_missed", "no_show"],
                ["booked", "reminder_missed", "no_show"],
                ["booked", "reminded", "no_show"],
            ]
            assert histories[0][-1].at >= up_again > over + NO_SHOW_DELAY
            assert [len(await hub.texts_to(patient)) for patient in patients] == [1, 1, 2]
