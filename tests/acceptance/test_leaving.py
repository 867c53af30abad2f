"""Processes stop in time even when a broker or database does not answer."""

from pathlib import Path

import pytest

from agents.__main__ import _EXIT_TIMEOUT
from tests.stack import Stack

pytestmark = pytest.mark.stack

ENDED_WITHIN = _EXIT_TIMEOUT + 2.0
"""Seconds. A process that has not ended by then is killed."""


@pytest.mark.parametrize("away", ["broker", "database"])
async def test_agents_stop_in_time_while_an_engine_does_not_answer(tmp_path: Path, away: str) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=1)
        engine = stack.broker if away == "broker" else stack.database
        await stack.pause(engine)
        await stack.end(stack.agents[0], patience=ENDED_WITHIN)
        assert stack.agents[0].how_it_died() == "exited with code 0"
        await stack.resume(engine)
