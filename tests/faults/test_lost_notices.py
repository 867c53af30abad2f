"""Notices are lost between the agents and the dashboards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.judged_run import JudgedRun, broken, judged_run
from tests.stack import Stack

pytestmark = pytest.mark.stack

DOCTORS, SLOTS_EACH, PATIENTS = 4, 6, 4


async def test_every_dashboard_receives_lost_notices_from_the_record(tmp_path: Path) -> None:
    async with scenario(tmp_path, api="api") as (stack, run):
        _, violations = await run.verdict()
        assert violations == []
        lost = stack.agents[0].written().count('"notice_lost"')
        assert lost >= DOCTORS * SLOTS_EACH // 3, "nothing was lost"
        assert '"feed_mended"' in stack.apis[0].written()


async def test_without_reading_the_record_the_judge_reports_missing_events(tmp_path: Path) -> None:
    async with scenario(tmp_path, api="tests.faults.api_without_mending") as (_, run):
        _, violations = await run.verdict(at_rest_within=5)
        assert (4, "an event was not sent") in broken(violations)


@asynccontextmanager
async def scenario(directory: Path, api: str) -> AsyncIterator[tuple[Stack, JudgedRun]]:
    async with Stack(directory) as stack:
        await stack.start_engines()
        await stack.add_agents("tests.faults.agents_losing_notices")
        await stack.add_api(api)
        async with judged_run(stack, DOCTORS, PATIENTS) as run:
            await run.rush(run.slots(SLOTS_EACH))
            yield stack, run
