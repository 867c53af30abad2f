"""The broker dies under load and comes back, with its data or empty; the database comes back with its data."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from hub.client.commands import Timeouts
from tests.faults.judged_run import JudgedRun, judged_run, stranger
from tests.stack import BROKER, Stack

pytestmark = pytest.mark.stack

DOCTORS, SLOTS_EACH, PATIENTS = 8, 8, 24
GOES_ON_WITHIN = 30.0
"""Seconds. On a quiet machine it is a few: this allows for one with several times its load."""
ONE_ANSWER = Timeouts(total=12.0, attempt=12.0)
KEEPING = [pytest.param("broker", False, id="broker")] if BROKER == "kafka" else []
"""The embedded broker stores nothing, so it cannot return with its data."""


@pytest.mark.parametrize(
    ("engine", "emptied"),
    [*KEEPING, pytest.param("broker", True, id="emptied broker"), pytest.param("database", False, id="database")],
)
async def test_acknowledged_changes_survive_and_booking_continues(
    tmp_path: Path,
    engine: Literal["broker", "database"],
    emptied: bool,  # noqa: FBT001  # a parameter
) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start(agents=2)
        async with judged_run(stack, DOCTORS, PATIENTS) as run, stranger(stack, ONE_ANSWER) as passer_by:
            slots = run.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(run.rush(slots))
            await run.until_answered(asked // 4)
            process = stack.broker if engine == "broker" else stack.database
            first_pid = process.pid
            await stack.kill(process)
            assert len(run.answers) < asked, "it was over already"

            await until_ready(run, but_for=engine)
            stuck = await until_nobody_is_answered(run)
            refused = await passer_by.book(slots[0].doctor_id, slots[0].start)
            assert (refused.status, refused.code) == (503, "try_again")
            assert refused.seconds < 11
            assert len(run.answers) == stuck < asked, f"something was decided without the {engine}"

            if emptied:
                stack.empty_broker()
            await stack.restart(process)
            assert process.pid != first_pid
            await run.until_answered(stuck + 1, within=GOES_ON_WITHIN)
            await until_ready(run)
            await rush
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)
            if emptied:
                assert stack.apis[0].written().count('"broker_connected"') >= 2, "the api did not connect anew"


async def until_nobody_is_answered(run: JudgedRun) -> int:
    """Return the number of answers once there was none for a second: earlier decisions may still be under way."""
    loop = asyncio.get_running_loop()
    end = loop.time() + GOES_ON_WITHIN
    last, since = -1, loop.time()
    while loop.time() - since < 1.0:
        if len(run.answers) != last:
            last, since = len(run.answers), loop.time()
        assert loop.time() < end, "somebody is answered all the time"
        await asyncio.sleep(0.05)
    return last


async def until_ready(run: JudgedRun, but_for: str | None = None) -> None:
    """Wait until the api reports ready, or that only this engine is missing."""
    async with asyncio.timeout(GOES_ON_WITHIN):
        while True:
            trouble = await run.door.ready()
            if trouble is None and but_for is None:
                return
            if but_for and getattr(trouble, "status", None) == 503 and f"the {but_for} at" in trouble.detail:
                return
            await asyncio.sleep(0.1)
