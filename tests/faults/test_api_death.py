"""An api process gets kill -9 under load, and another one is there."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.balancer import balanced
from tests.faults.clinic import opened
from tests.stack import Stack

pytestmark = pytest.mark.stack

DOCTORS, SLOTS_EACH, PATIENTS = 8, 6, 24


async def test_clients_of_an_api_that_dies_go_on_at_another_and_are_told_the_truth(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=1, apis=2)
        async with (
            balanced(stack.settings.host, [api.port for api in stack.apis]) as balancer,
            opened(stack, DOCTORS, PATIENTS, balancer.url) as clinic,
        ):
            slots = clinic.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(clinic.rush(slots))
            await clinic.until_answered(asked // 3)
            await stack.kill(stack.apis[0])
            assert len(clinic.answers) < asked, "it was over already"
            await rush
            _, violations = await clinic.verdict()
            assert violations == []
            assert all(answer.decided for answer in clinic.answers)
            assert any(answer.attempts > 1 for answer in clinic.answers), "no command was under way there"
            cut = [dashboard for dashboard in clinic.dashboards if len(dashboard.periods) > 1]
            assert 0 < len(cut) < len(clinic.dashboards), "not one of two apis died"
            assert all(dashboard.is_connected for dashboard in clinic.dashboards)
