"""Reminders across clock changes: three hours of elapsed time before, with the right local time in the text."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.scheduling.appointment import REMINDER_LEAD
from hub.settings import clock_settings
from hub.texting import wording
from tests.acceptance.running_hub import running_hub
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.stack]

RATE = 20.0
STARTED_WITHIN = timedelta(seconds=20)
"""Real seconds for the start of the hub and one booking."""
LATE = timedelta(seconds=3)
"""Real seconds."""
WORDS = wording.Clinic("Clinic Hub", None)


@dataclass(frozen=True)
class Change:
    """An appointment less than three hours after a clock change, and its local time for the doctor."""

    zone: str
    start: datetime
    local: str


def _utc(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC)


CHANGES = {
    "berlin_spring": Change("Europe/Berlin", _utc(2027, 3, 28, 2, 30), "Sun 28 Mar, 4:30 AM"),
    "berlin_autumn_the_second_half_past_two": Change(
        "Europe/Berlin", _utc(2026, 10, 25, 1, 30), "Sun 25 Oct, 2:30 AM CET"
    ),
    "berlin_autumn_the_first_half_past_two": Change(
        "Europe/Berlin", _utc(2026, 10, 25, 0, 30), "Sun 25 Oct, 2:30 AM CEST"
    ),
    "new_york_spring": Change("America/New_York", _utc(2027, 3, 14, 8, 0), "Sun 14 Mar, 4:00 AM"),
    "new_york_autumn": Change("America/New_York", _utc(2026, 11, 1, 7, 30), "Sun 1 Nov, 2:30 AM"),
    # Clocks change by half an hour there: from 2:00 to 2:30, and from 2:00 to 1:30.
    "lord_howe_spring": Change("Australia/Lord_Howe", _utc(2026, 10, 3, 17, 30), "Sun 4 Oct, 4:30 AM"),
    "lord_howe_autumn": Change("Australia/Lord_Howe", _utc(2027, 4, 3, 17, 0), "Sun 4 Apr, 3:30 AM"),
    "lord_howe_autumn_the_second_half_past_one": Change(
        "Australia/Lord_Howe", _utc(2027, 4, 3, 15, 0), "Sun 4 Apr, 1:30 AM +1030"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_reminder_comes_three_hours_before_and_says_the_local_time(change: Change, tmp_path: Path) -> None:
    due = change.start - REMINDER_LEAD
    settings = clock_settings(due - STARTED_WITHIN * RATE, RATE)
    async with Stack(tmp_path, **settings, texts_per_second=100.0) as stack:
        await stack.start()
        async with running_hub(stack) as hub:
            doctor, patient = await hub.doctor(change.zone), await hub.patient()
            assert hub.clock() < due, "the machine was too slow for this test"
            appointment = await hub.booked(patient, doctor, change.start)
            first, second = [await hub.until_text(patient, number) for number in (1, 2)]
            assert first.body == wording.booked(WORDS, change.local)
            assert second.body == wording.reminder(WORDS, change.local)
            assert timedelta(0) <= second.at - due <= LATE * RATE
            (reminded,) = [
                event for event in (await hub.appointment(appointment.id)).history if event.type == "reminded"
            ]
            assert timedelta(0) <= reminded.at - due <= LATE * RATE
