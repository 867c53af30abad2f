"""Many reminders at once while agents are killed: each patient gets one reminder, exactly once."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import pytest

from hub.records.documents import from_document
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.appointment import REMINDER_LEAD, Appointment
from hub.settings import clock_settings, timekeeper
from hub.texting.text import UNSETTLED, Text, TextStatus
from tests.acceptance.ledger import Ledger, spread
from tests.phones import Arrived, Phones
from tests.stack import Stack

MORNING = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DOCTORS = 20
BOOKED_A_SECOND, STARTED_WITHIN = 500, 12.0
"""How fast they can be put into the record, and the seconds that the rest of the hub has for its start then.

What is due before is late.
"""
Report = Callable[[str], None]


@dataclass(frozen=True)
class Rush:
    """The result: `texts` by appointment, from the record, and what arrived at the phones.

    `appointments` are as they stand afterwards: the last event of each is that the reminder was due.
    """

    appointments: Sequence[Appointment]
    texts: dict[str, Text]
    arrived: Sequence[Arrived]
    in_the_dark: Sequence[int]
    """Texts with an unknown result after each kill."""

    def decided_late(self, rate: float) -> list[float]:
        """Return the real seconds from each reminder's due time to its event in the record."""
        return [(one.last.at - one.start + REMINDER_LEAD).total_seconds() / rate for one in self.appointments]

    def arrived_late(self, rate: float) -> list[float]:
        """Return the real seconds from each reminder's due time to its arrival."""
        due = {self.texts[one.id].id: one.start - REMINDER_LEAD for one in self.appointments}
        return [(text.at - due[text.text_id or ""]).total_seconds() / rate for text in self.arrived]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print a line."""

    def write(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")  # noqa: T201  # the one who runs the tests wants to know

    return write


@pytest.mark.slow
@pytest.mark.stack
async def test_hundreds_of_reminders_of_one_minute_survive_two_kills_of_all_agents(
    tmp_path: Path, report: Report
) -> None:
    number, rate = 400, 4.0
    rush = await _rush(tmp_path, number, rate, patience=90.0, reports=True)
    _say(report, rush, rate)
    _everybody_has_one(rush)
    # Claimed, and not known to Twilio: they get their repair two minutes later; the slow test waits for that.
    waiting = {text.phone for text in rush.texts.values() if text.status in UNSETTLED}
    assert len(waiting) <= sum(rush.in_the_dark)
    assert {text.phone for text in rush.texts.values()} - {text.to for text in rush.arrived} <= waiting


@pytest.mark.slow
@pytest.mark.stack
async def test_thousands_of_reminders_of_one_minute_reach_each_patient_once_without_delivery_reports(
    tmp_path: Path, report: Report
) -> None:
    number, rate = int(os.environ.get("REMINDERS", "5000")), 1.0  # noqa: TID251  # asked of a person, not of the hub
    rush = await _rush(tmp_path, number, rate, patience=420.0, reports=False)
    _say(report, rush, rate)
    _everybody_has_one(rush)
    reached = {text.to for text in rush.arrived}
    assert len(reached) == number
    assert {text.status for text in rush.texts.values()} == {TextStatus.SENT}


def _everybody_has_one(rush: Rush) -> None:
    """Each patient has one reminder, and none has two. Only texts of unknown result after a kill were sent again."""
    assert {tuple(event.type for event in one.history) for one in rush.appointments} == {("booked", "reminded")}
    assert len(rush.texts) == len(rush.appointments)
    assert [phone for phone, texts in Counter(text.to for text in rush.arrived).items() if texts > 1] == []
    assert sum(text.repairs for text in rush.texts.values()) <= sum(rush.in_the_dark)
    assert sum(rush.in_the_dark), "no kill met a text on its way"


async def _rush(folder: Path, number: int, rate: float, *, patience: float, reports: bool) -> Rush:
    settings = {**clock_settings(MORNING, rate), "texts_per_second": 1000.0}
    async with Stack(folder, **settings) as stack:
        await stack.start_engines()
        assert stack.settings.mongodb_url
        records = connect(stack.settings.mongodb_url)
        await records.prepare()
        clock = timekeeper(stack.settings)
        ledger = Ledger(records, MORNING - timedelta(days=30))
        doctors, patients = await ledger.doctors(DOCTORS), await ledger.patients(number)
        first = clock.after(number / BOOKED_A_SECOND + STARTED_WITHIN) + REMINDER_LEAD
        starts = spread(first, MINUTE, number)
        appointments = await ledger.book(
            [
                (doctors[place % DOCTORS], patient.id, start)
                for place, (patient, start) in enumerate(zip(patients, starts, strict=True))
            ]
        )
        await ledger.planned()
        await stack.start_phones()
        async with Phones(stack.phones.port) as phones:
            if not reports:  # before anybody sends: on a busy machine the first ones are due while the agents start
                await phones.fault("callbacks_withheld", count=100_000)
            await stack.add_api()  # before anybody sends: a delivery report that nobody takes does not come again
            for _ in range(2):
                await stack.add_agents()
            inbox = _Inbox(phones, records, appointments, patience)
            in_the_dark = []
            for share in (0.25, 0.6):
                await inbox.until(lambda share=share: len(inbox.arrived) >= share * number)
                await asyncio.gather(*(stack.kill(process) for process in stack.agents))
                in_the_dark.append(sum(text.status is TextStatus.SENDING for text in await _texts(records)))
                await asyncio.gather(*(stack.restart(process) for process in stack.agents))
            texts = await inbox.until_rest(TextStatus.DELIVERED if reports else TextStatus.SENT, repaired=not reports)
        after = await _as_they_stand(records, appointments)
        await records.close()
        return Rush(after, texts, inbox.arrived, in_the_dark)


class _Inbox:
    """The phones of all patients."""

    def __init__(
        self, phones: Phones, records: MongoRecords, appointments: Sequence[Appointment], patience: float
    ) -> None:
        self.arrived: list[Arrived] = []
        self._phones = phones
        self._records = records
        self._appointments = appointments
        self._standing: Counter[str] = Counter()
        self._until = asyncio.get_running_loop().time() + patience

    async def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            await self._look()

    async def until_rest(self, at: TextStatus, *, repaired: bool) -> dict[str, Text]:
        """Return the texts by appointment, once all have the status `at` or, until `repaired`, an unknown result."""
        rest = {at} if repaired else {at, *UNSETTLED}
        while True:
            await self._look()
            await asyncio.sleep(1)  # all of them cost the database something
            texts = await _texts(self._records)
            self._standing = Counter(text.status.value for text in texts)
            if len(texts) == len(self._appointments) and {text.status for text in texts} <= rest:
                await self._look()
                return {text.appointment_id: text for text in texts}

    async def _look(self) -> None:
        last = self.arrived[-1].number if self.arrived else 0
        self.arrived += await self._phones.sent(after=last)
        assert asyncio.get_running_loop().time() < self._until, (
            f"{len(self.arrived)} have arrived so far; {self._standing}"
        )
        await asyncio.sleep(0.1)


async def _texts(records: MongoRecords) -> list[Text]:
    """Return the texts of the outbox."""
    # All of them, and past the time that the hub would give the database for it.
    found = [from_document(Text, each) for each in await records.texts._collection.find({}).to_list(None)]
    assert {text.kind for text in found} <= {"reminder"}
    return found


async def _as_they_stand(records: MongoRecords, appointments: Sequence[Appointment]) -> list[Appointment]:
    ids, some = [one.id for one in appointments], 200
    pages = [await records.appointments.by_ids(ids[first : first + some]) for first in range(0, len(ids), some)]
    return [one for page in pages for one in page.values()]


def _say(report: Report, rush: Rush, rate: float) -> None:
    report(
        f"{len(rush.arrived)} reminders of one minute{'' if rate == 1 else f' on a clock {rate:g} times as fast'}, "
        f"agents killed twice. Decided late: {_cuts(rush.decided_late(rate))}; arrived late: "
        f"{_cuts(rush.arrived_late(rate))}; left in the dark {list(rush.in_the_dark)}, "
        f"repaired {sum(text.repairs for text in rush.texts.values())}"
    )


def _cuts(seconds: Sequence[float]) -> str:
    cuts = quantiles(seconds, n=100)
    return f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, most {max(seconds):.2f} s"
