"""The test stack: it ends, pauses and restarts processes as its methods say, and reports unexpected deaths."""

import asyncio
import signal
from pathlib import Path

import pytest

from hub.ops.local.listening import listens
from tests.local.conftest import environment_of
from tests.stack import Stack, is_gone, until

STANDIN = "tests.local.standins.agents"


async def test_a_process_that_ends_unexpectedly_fails_the_test(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    await stack.start_engines()
    stack.broker.signal(signal.SIGKILL)
    await stack.broker.died()
    with pytest.raises(AssertionError, match=r"broker \(pid \d+\) was killed by SIGKILL"):
        await stack.close()
    assert is_gone(stack.database.pid)


async def test_a_process_that_the_test_ends_does_not_fail_it(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        await stack.kill(stack.broker)
        await stack.end(stack.database)
        assert is_gone(stack.broker.pid)
        assert is_gone(stack.database.pid)


async def test_a_paused_process_does_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        await stack.pause(stack.database)
        ping = asyncio.create_task(stack.database.wait_until_ready())
        assert await listens(stack.database.port)  # the kernel still takes connections for it
        _, waiting = await asyncio.wait({ping}, timeout=1.0)
        assert waiting == {ping}
        await stack.resume(stack.database)
        await ping


async def test_a_process_can_be_replaced_by_another_module_and_environment(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        agents = await stack.add_agents(module=STANDIN, environment={"FAULT": "reply lost"})
        assert stack.agents == [agents]
        assert "FAULT=reply lost" in environment_of(agents.pid)
        first = agents.pid
        await stack.restart(agents)
        assert agents.pid != first
        assert "doctors_taken_over" in stack.logs()["agents-1"]


@pytest.mark.stack
async def test_agents_restart_with_the_same_command_when_the_broker_comes_back_empty(tmp_path: Path) -> None:
    async with Stack(tmp_path, "embedded") as stack:
        await stack.start_engines()
        agents = await stack.add_agents(module="tests.local.standins.renamed")
        await stack.kill(stack.broker)
        stack.empty_broker()
        await stack.restart(stack.broker)
        await until(lambda: agents.written().count("doctors_taken_over") > 1, "they have their doctors again", 30)
        assert agents.written().count("standing in") == 2
