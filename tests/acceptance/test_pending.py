"""The cost of a takeover depends on the deadlines that are due soon, not on the number of pending ones."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.records.mongo import MongoRecords, connect
from hub.scheduling.appointment import REMINDER_LEAD
from hub.settings import clock_settings, timekeeper
from tests.acceptance.ledger import Ledger, spread
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.stack]

MORNING = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
OF_A_DOCTOR = 500
"""Appointments per doctor: a clinic with more appointments has more doctors."""
SENTINELS = 20
Report = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """Seconds from the start of a worker until it has its doctors, and from the death of one until what was due
    meanwhile has been done by the other; megabytes that a worker holds then.
    """

    start: float
    take_over: float
    resident: float


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print a line."""

    def write(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")  # noqa: T201  # the one who runs the tests wants to know

    return write


async def test_ten_times_as_many_deadlines_cost_no_more_to_take_over(tmp_path: Path, report: Report) -> None:
    few, many = [await _cost(tmp_path / str(number), number) for number in (10_000, 100_000)]
    for number, cost in ((10_000, few), (100_000, many)):
        report(
            f"{number} deadlines pending: start {cost.start:.2f} s, take-over {cost.take_over:.2f} s, "
            f"{cost.resident:.1f} MB resident"
        )
    assert many.take_over <= 1.5 * few.take_over + 1.0
    assert many.start <= 1.5 * few.start + 1.0
    assert many.resident <= few.resident + 20


async def _cost(folder: Path, number: int) -> Cost:
    loop = asyncio.get_running_loop()
    async with Stack(folder, **clock_settings(MORNING, 1.0), log_level="INFO") as stack:
        await stack.start_engines()
        assert stack.settings.mongodb_url
        records = connect(stack.settings.mongodb_url)
        await records.prepare()
        clock = timekeeper(stack.settings)
        ledger = Ledger(records, MORNING - timedelta(days=30))
        doctors, (patient,) = await ledger.doctors(number // OF_A_DOCTOR), await ledger.patients(1)
        # One appointment after the other, so that one patient can have them all; the first reminder is due in a day.
        starts = spread(MORNING + timedelta(days=2), timedelta(days=363) * number / 100_000, number)
        step = (starts[1] - starts[0]) * len(doctors)
        assert step > timedelta(minutes=30)
        await ledger.book(
            [(doctors[place % len(doctors)], f"{patient.id}-{place}", start) for place, start in enumerate(starts)]
        )
        await ledger.planned()

        began = loop.time()
        victim = await stack.add_agents()
        started = loop.time() - began
        successor = await stack.add_agents()
        await asyncio.sleep(2)  # they have shared the doctors out, and looked into the record

        sentinels = await ledger.book(
            [
                (doctors[place], f"sentinel-{place}", clock() + REMINDER_LEAD)
                for place in range(min(SENTINELS, len(doctors)))
            ]
        )
        began = loop.time()
        await stack.kill(victim)
        await _reminded(records, [one.id for one in sentinels])
        took = loop.time() - began
        resident = _resident(successor.pid)
        await records.close()
        return Cost(started, took, resident)


async def _reminded(records: MongoRecords, ids: list[str], within: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = await records.appointments.by_ids(ids)
        if all(one.last.type == "reminded" for one in found.values()):
            return
        assert asyncio.get_running_loop().time() < deadline, "some are not reminded"
        await asyncio.sleep(0.02)


def _resident(pid: int) -> float:
    """Return the memory of a process in megabytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
