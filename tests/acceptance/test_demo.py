"""`clinic-hub demo` against the real hub: exit 0 when every promise is kept, 1 when one is not, 2 without a hub."""

import asyncio
import io
import re
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from hub.clock import system_clock
from hub.ops.demo.run import BROKEN, KEPT, NOTHING_TO_JUDGE, Size, run
from hub.ops.local.ports import free_port
from hub.ops.seeding.people import doctors
from hub.ops.seeding.seed import SeedReport, seed
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule_record import ScheduleRecord
from hub.scheduling.values import Status
from hub.scheduling.waitlist_entry import WaitlistEntry
from hub.settings import Settings, child_environment
from tests.stack import Stack

pytestmark = pytest.mark.stack

SMALL = Size(patients=24, doctors=2, slots_each=4)


@pytest.fixture(scope="module")
async def clinic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A hub with the seeded clinic. With two agents processes, two doctors of a patient may have different ones."""
    async with Stack(tmp_path_factory.mktemp("demo"), logins_per_minute_per_address=1_000_000) as stack:
        await stack.start(agents=2)
        records = connect(stack.settings.mongodb_url)
        assert isinstance(await seed(records, system_clock()), SeedReport)
        await records.close()
        yield stack


async def test_a_demo_keeps_every_promise_and_leaves_nothing_for_the_next(clinic: Stack) -> None:
    """The demos of the tests below follow it."""
    ended = await _demo(clinic.settings, "--url", clinic.base_url())
    assert ended.code == KEPT, ended.said
    assert "200 patients race for 36 free slots" in ended.said
    assert "Robin Vega at the front desk checks in" in ended.said
    assert "Signing in: 204 of 204" in ended.said
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  Dr\. .* booked ", ended.said, re.MULTILINE)
    assert [promise for promise in range(1, 9) if f"✓  {promise}  " in ended.said] == [1, 2, 3, 4, 5, 7, 8]
    assert "✗" not in ended.said
    assert "slot_taken" in ended.said
    assert re.search(r"accept \d", ended.said)
    assert "p99" in ended.said
    assert await _left_over(clinic) == []


async def test_a_falsified_record_breaks_promises(clinic: Stack) -> None:
    plants: list[tuple[Plant, str]] = [
        (_lose, "promise 1: an acknowledged change is not in the record"),
        (_double, "promise 2: two appointments held the same slot"),
        (_bend, "promise 3: a state does not match its history"),
    ]
    for plant, named in plants:
        shown = io.StringIO()
        code = await run(
            clinic.base_url(),
            clinic.settings.mongodb_url,
            console=Console(file=shown, width=200),
            open_records=lambda url, plant=plant: _FalsifiedRecords(connect(url), plant),
            size=SMALL,
        )
        assert code == BROKEN, plant
        assert f"✗  {named[8]}  " in shown.getvalue()
        assert named in shown.getvalue()


async def test_a_small_demo_with_the_true_record_keeps_every_promise(clinic: Stack) -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=200)
    assert await run(clinic.base_url(), clinic.settings.mongodb_url, console=console, size=SMALL) == KEPT


async def test_without_a_hub_the_demo_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    ended = await _demo(Settings.model_construct(None, data_dir=tmp_path, port=port, mongodb_url="mongodb://127.0.0.1"))
    assert ended.code == NOTHING_TO_JUDGE
    assert f"no hub answers at http://127.0.0.1:{port}" in ended.said
    assert "make run" in ended.said
    assert "Traceback" not in ended.said


async def test_without_a_database_the_demo_does_not_start(tmp_path: Path) -> None:
    ended = await _demo(Settings.model_construct(None, data_dir=tmp_path, port=free_port()))
    assert ended.code == NOTHING_TO_JUDGE
    assert "MONGODB_URL" in ended.said


async def test_a_database_that_does_not_answer_is_said_to(clinic: Stack) -> None:
    shown = io.StringIO()
    nowhere = f"mongodb://127.0.0.1:{free_port()}/clinic"
    assert await run(clinic.base_url(), nowhere, console=Console(file=shown, width=200), size=SMALL) == NOTHING_TO_JUDGE
    assert f"MongoDB does not answer: {urlsplit(nowhere).netloc}" in shown.getvalue()


@dataclass(frozen=True)
class Ended:
    code: int
    said: str


async def _demo(settings: Settings, *args: str) -> Ended:
    """Run the command without a terminal."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("clinic-hub"),
        "demo",
        *args,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment(settings),
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), timeout=150)
    finally:
        if process.returncode is None:
            process.kill()
    return Ended(process.returncode, said.decode())


async def _left_over(clinic: Stack) -> list[Appointment | WaitlistEntry]:
    """Return the appointments that the demos booked or accepted and did not cancel, and who still waits."""
    records = connect(clinic.settings.mongodb_url)
    ids = [person.id for person in doctors(system_clock().date())]
    left = await records.appointments.active_since(ids, system_clock())
    waiting = [entry for id_ in ids for entry in await records.waitlist.line(id_)]
    await records.close()
    everything: list[Appointment | WaitlistEntry] = [*left, *waiting]
    return [each for each in everything if each.history[0].by.via != "seed"]


Plant = Callable[[Appointment], list[Appointment]]
"""Returns the appointments to show in place of a real one."""


class _FalsifiedRecords:
    """The real record, except for the first appointment on each page that was booked after this was created."""

    def __init__(self, records: Records, plant: Plant) -> None:
        self._records = records
        self._plant = plant
        self._since = system_clock()
        self.appointments = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    async def changed_since(self, *wanted: Any) -> Sequence[Any]:
        return await self._records.appointments.changed_since(*wanted)

    async def page(self, *wanted: Any) -> Sequence[Appointment]:
        page = await self._records.appointments.page(*wanted)
        first = next((each for each in page if each.created_at >= self._since), None)
        return [shown for each in page for shown in (self._plant(each) if each is first else [each])]

    async def last_seq(self, doctor_id: str) -> int:
        return await self._records.appointments.last_seq(doctor_id)

    async def schedule_records(self, doctor_ids: Collection[str]) -> dict[str, ScheduleRecord]:
        return await self._records.appointments.schedule_records(doctor_ids)


def _lose(_: Appointment) -> list[Appointment]:
    return []


def _double(booked: Appointment) -> list[Appointment]:
    return [booked.model_copy(update={"id": f"twin-{booked.id}"}), booked]


def _bend(booked: Appointment) -> list[Appointment]:
    # A doctor of the demo completes what begins now; within the seconds that it takes nobody becomes a no-show.
    return [booked.model_copy(update={"status": Status.NO_SHOW})]
