"""Processes join, leave and are replaced one after the other, as in a deployment. Clients notice nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from api.__main__ import STOP_WITHIN
from hub.client.answers import Answer
from hub.ops.local.process import Process
from hub.scheduling.values import APPOINTMENT_DURATION
from tests.days import day_after_tomorrow
from tests.faults.balancer import Balancer, balanced
from tests.faults.judged_run import JudgedRun, Person, had_doctors, judged_run
from tests.stack import BROKER, Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

DOCTORS, PATIENTS = 8, 6
PAUSE = 0.25
"""Seconds between two commands of one patient: long enough that commands do not queue."""
PROMISED = 2.0 if BROKER == "kafka" else 15.0
"""Seconds that a command may take meanwhile. Two seconds are promised on Apache Kafka. The embedded broker, which
delays a joining process by a second, is for development: there the test only finds commands that hang."""


async def test_while_processes_join_leave_and_are_replaced_every_command_is_answered_soon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scenario(tmp_path) as (stack, balancer, run):
        first_agents, first_apis = list(stack.agents), list(stack.apis)
        async with everybody_busy(run):
            # A third of each joins; then those that were there first go, each after or before its replacement comes.
            third_agents = await stack.add_agents()
            third_api = await stack.add_api()
            balancer.add(third_api.port)
            await _settled(run)
            await _replace_first(stack, run, balancer, first_agents[0], first_apis[0])
            await _let_go_first(stack, run, balancer, first_agents[1], first_apis[1])
            # And some leave for good.
            await stack.end(third_agents)
            await stack.end(third_api, STOP_WITHIN)
            await _settled(run)
        _, violations = await run.verdict()
        assert violations == []
        assert [answer.code for answer in run.answers if not answer.ok] == []
        assert [_told(answer) for answer in run.answers if answer.seconds >= PROMISED] == []
        longest = max(run.answers, key=lambda each: each.seconds)
        with capsys.disabled():
            print(f"\nthe longest of {len(run.answers)}: {_told(longest)}")  # noqa: T201  # who runs it wants to know

        gone = [*first_agents, third_agents, *first_apis, third_api]
        assert {process.how_it_died() for process in gone} == {"exited with code 0"}
        assert all(map(had_doctors, stack.agents)), "somebody had nothing to do"
        assert any(len(dashboard.periods) > 1 for dashboard in run.dashboards), "nobody was sent elsewhere"


async def _replace_first(stack: Stack, run: JudgedRun, balancer: Balancer, agents: Process, api: Process) -> None:
    """Start the replacements first."""
    await stack.add_agents()
    await _settled(run)
    await stack.end(agents)
    await _settled(run)
    balancer.add((await stack.add_api()).port)
    await stack.end(api, STOP_WITHIN)
    await _settled(run)


async def _let_go_first(stack: Stack, run: JudgedRun, balancer: Balancer, agents: Process, api: Process) -> None:
    """Stop the processes before the replacements start."""
    await stack.end(agents)
    await _settled(run)
    await stack.add_agents()
    await _settled(run)
    await stack.end(api, STOP_WITHIN)
    balancer.add((await stack.add_api()).port)
    await _settled(run)


async def _settled(run: JudgedRun) -> None:
    """Return when every patient has an answer again, as a deployment waits between steps."""
    await run.until_answered(len(run.answers) + 2 * PATIENTS)


@asynccontextmanager
async def scenario(directory: Path) -> AsyncIterator[tuple[Stack, Balancer, JudgedRun]]:
    """Start two processes of each kind, and connect people."""
    async with Stack(directory) as stack:
        await stack.start(agents=2, apis=2)
        async with (
            balanced(stack.settings.host, [api.port for api in stack.apis]) as balancer,
            judged_run(stack, DOCTORS, PATIENTS, balancer.url) as run,
        ):
            yield stack, balancer, run


@asynccontextmanager
async def everybody_busy(run: JudgedRun) -> AsyncIterator[None]:
    """Every patient books and cancels in turn during the block."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number, patient in enumerate(run.patients):
            group.create_task(_book_and_cancel(run, patient, number, over))
        await run.until_answered(2 * PATIENTS)
        yield
        over.set()


async def _book_and_cancel(run: JudgedRun, patient: Person, number: int, over: asyncio.Event) -> None:
    first_day = day_after_tomorrow()
    for turn in count():
        start = first_day + (turn * PATIENTS + number) * APPOINTMENT_DURATION  # nobody else wants it
        booked = await patient.commands.book(run.doctors[(turn + number) % DOCTORS].id, start)
        await asyncio.sleep(PAUSE)
        if booked.appointment:
            await patient.commands.cancel(booked.appointment.id)
        await asyncio.sleep(PAUSE)
        if over.is_set():
            return


def _told(answer: Answer) -> str:
    return f"{answer.seconds:.1f} s, {answer.attempts} times, at {answer.at:%H:%M:%S.%f}"
