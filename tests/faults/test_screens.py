"""A hundred clients, cut connections, killed api and agents processes: in the end every screen shows the record."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.balancer import Balancer, balanced
from tests.faults.screens import Hall, hall
from tests.stack import Stack

DOCTORS, SCREENS = 8, 50
PATIENTS = 24
MANY_PATIENTS = 96
"""Enough patients that none has more appointments than in many real years, even after 20,000 changes."""


@pytest.mark.parametrize(
    ("changes", "patients", "cut_every"),
    [
        pytest.param(800, PATIENTS, 0.05, id="800"),
        pytest.param(2_000, PATIENTS, 0.1, id="2000", marks=pytest.mark.slow),
        pytest.param(20_000, MANY_PATIENTS, 0.4, id="20000", marks=pytest.mark.slow),
    ],
)
async def test_every_screen_shows_the_record_after_cut_connections_and_kills(
    tmp_path: Path, changes: int, patients: int, cut_every: float
) -> None:
    async with scenario(tmp_path, "tests.faults.api_losing_notices", patients) as (stack, balancer, people):
        changing = asyncio.create_task(people.busy.change(changes))
        cutting = asyncio.create_task(cut_for_ever(balancer, cut_every))
        await people.busy.until(changes // 4)
        await stack.kill(stack.apis[0])
        await people.busy.until(changes // 3)
        await stack.restart(stack.apis[0])
        await people.busy.until(changes // 2)
        await stack.kill(stack.agents[0])
        await stack.restart(stack.agents[0])
        await changing
        cutting.cancel()

        assert await people.faults() == []
        assert all(answer.ok for answer in people.busy.answers), {answer.code for answer in people.busy.answers}
        assert len(people.busy.answers) >= changes
        assert balancer.cuts > 100
        for screens in (people.python, people.javascript):
            assert sum(screen.cuts for screen in screens) > SCREENS, "hardly anybody was ever cut off"
            assert sum(len(screen.log) for screen in screens) > changes


@pytest.mark.slow
async def test_without_reading_missing_notices_the_screens_miss_events(tmp_path: Path) -> None:
    async with scenario(tmp_path, api="tests.faults.api_losing_without_mending") as (_, _, people):
        await people.busy.change(200)
        assert "lost" in {fault for _, fault in await people.faults(within=4.0)}


@pytest.mark.slow
async def test_without_sync_the_screens_miss_events(tmp_path: Path) -> None:
    async with scenario(tmp_path, api="tests.faults.api_without_sync") as (_, balancer, people):
        cutting = asyncio.create_task(cut_for_ever(balancer, 0.1))
        await people.busy.change(400)
        cutting.cancel()
        assert "lost" in {fault for _, fault in await people.faults(within=4.0)}


@asynccontextmanager
async def scenario(directory: Path, api: str, patients: int = PATIENTS) -> AsyncIterator[tuple[Stack, Balancer, Hall]]:
    async with Stack(directory) as stack:
        await stack.start_engines()
        for _ in range(2):
            await stack.add_agents()
            await stack.add_api(api)
        ports = [process.port for process in stack.apis]
        async with (
            balanced(stack.settings.host, ports) as balancer,
            hall(stack, balancer.url, DOCTORS, patients, SCREENS) as people,
        ):
            yield stack, balancer, people


async def cut_for_ever(balancer: Balancer, every: float) -> None:
    """Cut two connections at this interval (seconds)."""
    chance = random.Random(20)
    while True:
        await asyncio.sleep(every)
        balancer.cut(2, chance)
