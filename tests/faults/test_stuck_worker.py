"""A worker waits for table entries that no longer exist, as after a broker came back empty. It restarts."""

from pathlib import Path

import pytest

from tests.faults.judged_run import judged_run
from tests.stack import Stack

pytestmark = pytest.mark.stack


async def test_a_worker_whose_table_recovery_stalls_restarts_and_serves_its_doctors(tmp_path: Path) -> None:
    mark = tmp_path / "stuck"
    mark.touch()
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        agents = await stack.add_agents("tests.faults.agents_stuck_once", {"STUCK_WHILE": str(mark)})
        assert "table_not_recovered" in agents.written()
        await stack.add_api()
        async with judged_run(stack, 2, 4) as run:
            await run.rush(run.slots(4))
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)
