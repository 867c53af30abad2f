"""The database's primary loses its majority under load, and for a while nobody is primary."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.judged_run import judged_run, stranger
from tests.faults.test_outages import GOES_ON_WITHIN, ONE_ANSWER, until_nobody_is_answered
from tests.stack import Stack
from tests.tools.mongo_proxy.former_primary import remembering
from tests.tools.mongo_proxy.rules import no_primary

pytestmark = pytest.mark.stack

DOCTORS, SLOTS_EACH, PATIENTS = 8, 8, 24
NOTICED_AFTER = 3.0
"""Seconds until the former primary steps down, during which it answers reads from before."""


async def test_nothing_untrue_is_told_and_booking_continues_when_there_is_a_primary_again(tmp_path: Path) -> None:
    async with Stack(tmp_path, with_database_proxy=True) as stack:
        await stack.start(agents=2)
        proxy = stack.database_proxy
        assert proxy
        async with judged_run(stack, DOCTORS, PATIENTS) as run, stranger(stack, ONE_ANSWER) as passer_by:
            slots = run.slots(SLOTS_EACH)
            asked = len(slots) * PATIENTS
            rush = asyncio.create_task(run.rush(slots))
            await run.until_answered(asked // 8)
            with remembering(f"mongodb://127.0.0.1:{stack.database.port}/?directConnection=true", "clinic") as former:
                await run.until_answered(asked // 4)
                with proxy.rule(former):
                    await asyncio.sleep(NOTICED_AFTER)
                with proxy.rule(no_primary()):
                    assert len(run.answers) < asked, "it was over already"
                    stuck = await until_nobody_is_answered(run)
                    refused = await passer_by.book(slots[0].doctor_id, slots[0].start)
                    assert (refused.status, refused.code) == (503, "try_again")
                    assert refused.seconds < 11
                    assert len(run.answers) == stuck < asked, "something was decided without a primary"
                await run.until_answered(stuck + 1, within=GOES_ON_WITHIN)
                await rush
            _, violations = await run.verdict()
            assert violations == []
            assert all(answer.decided for answer in run.answers)
