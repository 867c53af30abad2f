"""Reads while the database, the broker or both are away: from complete views with their age, and then none."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.client.member import Member
from hub.clock import system_clock
from hub.ops.doctor_accounts import disable
from tests.days import day_after_tomorrow
from tests.faults.judged_run import JudgedRun, judged_run
from tests.faults.test_outages import until_ready
from tests.stack import Stack

pytestmark = pytest.mark.stack

WITHIN = 40.0
"""Seconds for a busy machine to notice an outage, or its end."""


@dataclass(frozen=True)
class Seen:
    """An answer: its status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def age(self) -> int | None:
        return int(self.headers["Age"]) if "Age" in self.headers else None


async def get(member: Member, path: str) -> Seen:
    headers = {"Authorization": f"Bearer {member._tokens.access}"}
    async with member._http.session.get(f"{member._http.base_url}/api/v1{path}", headers=headers) as answer:
        return Seen(answer.status, answer.headers, await answer.json(content_type=None))


async def slots(run: JudgedRun, doctor: int = 0) -> Seen:
    """Read the slots of a day of a doctor, as a patient."""
    day = day_after_tomorrow().date()
    return await get(run.patients[0].member, f"/doctors/{run.doctors[doctor].id}/slots?date={day}")


async def seen(read: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool], what: str) -> Seen:
    """Read until the answer is as wanted."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WITHIN
    while not wanted(answer := await read()):
        assert loop.time() < end, f"no answer was {what}: {answer}"
        await asyncio.sleep(0.2)
    return answer


async def test_without_the_database_complete_views_are_answered_with_their_age(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        async with judged_run(stack, 2, 2) as run:
            doctor, slot = run.doctors[0].member, run.slots(1)[0]
            assert (await run.patients[1].commands.book(slot.doctor_id, slot.start)).ok
            reads = ("/appointments", f"/appointments/stats/doctor/{doctor.user.id}")
            before = [await get(doctor, path) for path in reads]
            assert [answer.status for answer in before] == [200, 200]
            assert [answer.age for answer in before] == [None, None]
            await stack.kill(stack.database)

            for path, known in zip(reads, before, strict=True):
                late = await seen(partial(get, doctor, path), lambda answer: answer.age is not None, "with an age")
                assert (late.status, late.body) == (200, known.body)
                assert late.age is not None
                assert late.age >= 6
                assert late.headers["Warning"].startswith("111 ")
            # The whole history of the other doctor was never read.
            unknown = await get(run.doctors[1].member, f"/appointments/stats/doctor/{run.doctors[1].id}")
            assert (unknown.status, unknown.body["code"]) == (503, "unavailable")

            await stack.restart(stack.database)
            again = await seen(lambda: get(doctor, reads[0]), lambda answer: answer.age is None, "without an age")
            assert (again.status, again.body) == (200, before[0].body)


async def test_without_the_broker_the_record_is_read_and_without_both_nothing_is_answered(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        async with judged_run(stack, 2, 2) as run:
            assert any(slot["available"] for slot in (await slots(run)).body)
            await stack.kill(stack.broker)
            await until_ready(run, but_for="broker")

            # Only the record knows of this change: no notice can come.
            await disable(run.records, run.doctors[0].id, system_clock)
            now = await slots(run)
            assert (now.status, now.age) == (200, None)
            assert not any(slot["available"] for slot in now.body)

            await stack.kill(stack.database)
            refused = await seen(lambda: slots(run), lambda answer: answer.status != 200, "refused")
            assert (refused.status, refused.body["code"]) == (503, "unavailable")

            stack.empty_broker()
            await stack.restart(stack.database)
            await stack.restart(stack.broker)
            again = await seen(lambda: slots(run), lambda answer: answer.status == 200, "a success")
            assert again.age is None
            assert not any(slot["available"] for slot in again.body)
