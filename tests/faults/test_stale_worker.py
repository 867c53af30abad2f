"""A worker is stopped for longer than its session. When it resumes, it does not know that it has lost its doctors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.ops.local.process import Process
from hub.scheduling.values import APPOINTMENT_DURATION
from tests.faults.judged_run import JudgedRun, broken, had_doctors, judged_run
from tests.stack import Stack, until

pytestmark = pytest.mark.stack

DOCTORS, PATIENTS, SLOTS = 4, 3, 24
PLAYS = 5
"""The worker must decide before the broker tells it that it left the group."""


async def test_a_stopped_worker_applies_nothing_that_its_successor_has_refused(tmp_path: Path) -> None:
    async with scenario(tmp_path, "agents") as run:
        _, violations = await run.verdict()
        assert violations == []


@pytest.mark.slow  # whether it shows in one play is a matter of chance
async def test_without_a_lease_the_judge_reports_refused_commands_that_were_applied(tmp_path: Path) -> None:
    found: set[tuple[int, str]] = set()
    for play in range(PLAYS):
        async with scenario(tmp_path / str(play), "tests.faults.agents_without_lease") as run:
            _, violations = await run.verdict(at_rest_within=3)
            found |= broken(violations)
        if found:
            break
    assert (3, "a refused command was applied") in found


@asynccontextmanager
async def scenario(directory: Path, module: str) -> AsyncIterator[JudgedRun]:
    """While a worker with this module is stopped, slots are booked, refused to other patients, and freed."""
    async with Stack(directory) as stack:
        await stack.start_engines()
        stopped = await stack.add_agents(module)
        await stack.add_api()
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            slots = run.slots(SLOTS)
            first, second, third = run.patients
            for number, doctor in enumerate(run.doctors):
                assert (await third.commands.book(doctor.id, slots[-1].start + (number + 1) * APPOINTMENT_DURATION)).ok
            await stack.pause(stopped)
            successor = await stack.add_agents()
            for slot in slots:
                taken = await first.commands.book(slot.doctor_id, slot.start)
                assert taken.appointment
                assert (await second.commands.book(slot.doctor_id, slot.start)).code == "slot_taken"
                assert (await first.commands.cancel(taken.appointment.id)).ok
            assert had_doctors(successor), "its doctors did not move"
            given = _times_given(stopped)
            await stack.resume(stopped)
            await until(lambda: _times_given(stopped) > given, "it is told that it is out, and is back in", within=30)
            yield run


def _times_given(agents: Process) -> int:
    """Return how often the worker was assigned partitions."""
    return agents.written().count('"doctors_taken_over"')
