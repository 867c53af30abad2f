"""An api process gets kill -9 under load, while another one runs."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.balancer import balanced
from tests.faults.judged_run import judged_run
from tests.stack import Stack

pytestmark = pytest.mark.stack

DOCTORS, SLOTS_EACH, PATIENTS = 8, 6, 24


async def test_clients_of_a_killed_api_continue_at_another_and_get_true_answers(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=1, apis=2)
        async with (
            balanced(stack.settings.host, [api.port for api in stack.apis]) as balancer,
            judged_run(stack, DOCTORS, PATIENTS, balancer.url) as run,
        ):
            slots = run.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(run.rush(slots))
            await run.until_answered(asked // 3)
            await stack.kill(stack.apis[0])
            assert len(run.answers) < asked, "it was over already"
            await rush
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)
            assert any(answer.attempts > 1 for answer in run.answers), "no command was under way there"
            cut = [dashboard for dashboard in run.dashboards if len(dashboard.periods) > 1]
            assert 0 < len(cut) < len(run.dashboards), "not one of two apis died"
            assert all(dashboard.is_connected for dashboard in run.dashboards)
