"""Many patients book the same slots while agents processes are killed and started."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.ops.local.process import Process
from tests.faults.judged_run import JudgedRun, Slot, broken, had_doctors, judged_run
from tests.stack import Stack, until

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Size:
    doctors: int
    slots_each: int
    patients: int


@dataclass(frozen=True)
class Race:
    """A finished race: the slots, the killed process, and the process that was started."""

    run: JudgedRun
    slots: list[Slot]
    asked: int
    victim: Process
    late: Process


async def test_of_fifty_patients_for_each_of_a_hundred_slots_one_wins_while_agents_are_killed_and_started(
    tmp_path: Path,
) -> None:
    async with race(tmp_path, Size(doctors=10, slots_each=10, patients=50), "agents") as done:
        answers = done.run.answers
        assert done.asked == len(answers) == 5000
        assert had_doctors(done.victim), "who was killed had no doctors"
        assert max(answer.seconds for answer in answers) > 1, "nobody had to wait for another worker"
        record, violations = await done.run.verdict()
        assert violations == []
        wins = Counter((won.doctor_id, won.start) for answer in answers if (won := answer.appointment))
        assert wins == Counter((slot.doctor_id, slot.start) for slot in done.slots)
        assert {answer.code for answer in answers} == {None, "slot_taken", "patient_busy"}
        assert len(record.appointments) == len(done.slots)


@pytest.mark.slow
async def test_when_agents_publish_before_they_write_the_judge_reports_missing_changes(
    tmp_path: Path,
) -> None:
    async with race(tmp_path, Size(doctors=4, slots_each=10, patients=10), "tests.faults.agents_telling_first") as done:
        _, violations = await done.run.verdict(at_rest_within=5)
        assert (1, "an acknowledged change is not in the record") in broken(violations)


@asynccontextmanager
async def race(directory: Path, size: Size, module: str) -> AsyncIterator[Race]:
    """Every patient tries to book every slot. Half-way, an agents process is killed; later, another one starts."""
    async with Stack(directory) as stack:
        await stack.start_engines()
        victim = await stack.add_agents(module)
        await stack.add_agents(module)
        await stack.add_api()
        async with judged_run(stack, size.doctors, size.patients) as run:
            slots = run.slots(size.slots_each)
            asked = len(slots) * size.patients
            rush = asyncio.create_task(run.rush(slots))
            await run.until_answered(asked // 2)
            await stack.kill(victim)
            assert len(run.answers) < asked, "it was over already"
            await run.until_answered(asked * 5 // 8)
            late = await stack.add_agents(module)
            await rush
            await until(lambda: had_doctors(late), "who came late has doctors, too")
            yield Race(run, slots, asked, victim, late)
