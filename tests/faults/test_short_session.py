"""KAFKA_SESSION_SECONDS: how soon a killed worker is replaced on a broker of one's own."""

import asyncio
from pathlib import Path

import pytest

from hub.bus.broker_config import broker_config
from hub.bus.profiles import PROFILES
from hub.ops.checkup.broker import check_broker
from hub.ops.local.process import StartFailed
from hub.scheduling.values import APPOINTMENT_DURATION
from tests.faults.judged_run import had_doctors, judged_run
from tests.stack import BROKER, Stack

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(BROKER != "kafka", reason="the embedded broker has a short session anyway: KAFKA=1 make test"),
]

DOCTORS = 12
DEFAULT = PROFILES["kafka"].session_timeout


async def test_a_killed_worker_is_replaced_before_the_session_of_a_default_broker_would_end(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=2)
        assert broker_config(stack.settings).profile.session_timeout == 2.0
        async with judged_run(stack, DOCTORS, 1) as run:
            (patient,) = run.patients
            first = run.slots(1)[0].start

            async def book(number: int) -> float:
                start = first + number * APPOINTMENT_DURATION
                answer = await patient.commands.book(run.doctors[number % DOCTORS].id, start)
                assert answer.ok
                return answer.seconds

            for number in range(DOCTORS):
                await book(number)
            victim = stack.agents[0]
            await stack.kill(victim)
            assert had_doctors(victim)
            waits = await asyncio.gather(*(book(DOCTORS + number) for number in range(DOCTORS)))
            assert 1.0 < max(waits) < DEFAULT, f"nobody waited for another worker, or too long: {max(waits):.1f} s"
            _, violations = await run.verdict()
            assert violations == []


async def test_a_session_that_the_broker_refuses_is_named_by_the_check_and_by_the_agents(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        too_short = stack.settings.model_copy(update={"kafka_session_seconds": 1.0})
        (wrong,) = [each for each in await check_broker(broker_config(too_short)) if each.grade == "wrong"]
        assert wrong.says.startswith("KAFKA_SESSION_SECONDS: the broker accepts no session under 2 s")
        with pytest.raises(StartFailed, match="KAFKA_SESSION_SECONDS: the broker accepts no session under 2 s"):
            await stack.add_agents(environment={"KAFKA_SESSION_SECONDS": "1"})
