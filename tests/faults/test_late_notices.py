"""One of two api processes gets its notices late. Nobody reads there what is older than what they know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.clock import system_clock
from hub.ops.judge.reads import Read
from tests.faults.judged_run import JudgedRun, broken, judged_run
from tests.own_list import read_own
from tests.stack import Stack

pytestmark = pytest.mark.stack

BOOKINGS = 8


async def test_no_read_is_from_before_a_position_that_its_client_knows(tmp_path: Path) -> None:
    async with scenario(tmp_path, "tests.faults.api_with_late_notices") as run:
        _, violations = await run.verdict()
        assert violations == []
        late = [read for read in run.history.reads if not read.known]
        here = [read for read in run.history.reads if read.known]
        assert len(here) == 2 * BOOKINGS
        assert any(len(read.appointments) < BOOKINGS for read in late[1:]), "nothing was late"


async def test_without_positions_the_judge_reports_outdated_reads(tmp_path: Path) -> None:
    async with scenario(tmp_path, "tests.faults.api_ignoring_positions") as run:
        _, violations = await run.verdict()
        assert broken(violations) == {(4, "a read was answered from before a known position")}


@asynccontextmanager
async def scenario(directory: Path, late_api: str) -> AsyncIterator[JudgedRun]:
    """A patient books at the first process. After each booking the doctor reads there, then at the late process."""
    async with Stack(directory) as stack:
        await stack.start()
        await stack.add_api(late_api)
        async with judged_run(stack, 1, 2) as run, clinic_at(stack.base_url(1), system_clock) as other:
            doctor = run.doctors[0].member
            late = Member(doctor.user, other._http, doctor._tokens, doctor._commands_over, doctor._timeouts)
            begin = system_clock() - timedelta(days=1)

            async def read(at: Member, known: int) -> Read:
                answer = await read_own(at, begin, system_clock, known)
                assert answer is not None
                run.history.on_read(answer)
                return answer

            await read(late, 0)  # from here on it holds the view
            for number, slot in enumerate(run.slots(BOOKINGS), start=1):
                booked = await run.patients[1].commands.book(slot.doctor_id, slot.start)
                assert booked.ok
                there = await read(doctor, number)
                await read(late, 0)
                await read(late, there.position)
            yield run
