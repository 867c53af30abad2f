"""A process that dies is restarted; one that keeps dying ends the run."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ops.local.process import Process, Program
from hub.ops.local.supervision import GaveUp, supervise
from tests.stack import until

STAYS = (sys.executable, "-c", "import signal; signal.pause()")
FAILS = (sys.executable, "-c", "import sys; print('no luck today'); sys.exit(3)")


@pytest.fixture
def process_of(tmp_path: Path) -> Callable[[Program], Process]:
    return lambda program: Process(program, tmp_path)


async def test_a_process_that_dies_is_restarted_and_the_restart_is_reported(
    process_of: Callable[[Program], Process],
) -> None:
    said: list[str] = []
    process = process_of(Program("agents", STAYS, restart_note="Nothing is lost."))
    await process.start()
    first = process.pid
    watch = asyncio.create_task(supervise(process, said.append, restart=True))
    process.signal(signal.SIGKILL)
    await until(lambda: bool(said), "the restart is reported")
    assert process.alive
    assert said == [
        f"agents (pid {first}) was killed by SIGKILL and was started again (pid {process.pid}). Nothing is lost."
    ]
    watch.cancel()
    await process.kill()


async def test_the_fourth_death_within_a_minute_ends_the_run(process_of: Callable[[Program], Process]) -> None:
    said: list[str] = []
    process = process_of(Program("api", FAILS))
    await process.start()
    with pytest.raises(
        GaveUp, match=r"4 times within a minute: api \(pid \d+\) exited with code 3; .*\nno luck today$"
    ):
        await supervise(process, said.append, restart=True)
    assert len(said) == 3
    assert not process.alive


async def test_deaths_before_the_window_do_not_count(process_of: Callable[[Program], Process]) -> None:
    said: list[str] = []
    process = process_of(Program("api", FAILS))
    await process.start()
    watch = asyncio.create_task(supervise(process, said.append, restart=True, window=0.0))
    await until(lambda: len(said) > 4, "more restarts than the limit for one window")
    watch.cancel()
    await process.kill()


async def test_with_restart_off_the_first_death_ends_the_run(process_of: Callable[[Program], Process]) -> None:
    said: list[str] = []
    process = process_of(Program("database", FAILS))
    await process.start()
    with pytest.raises(
        GaveUp, match=r"^database \(pid \d+\) exited with code 3; the end of .*database\.log:\nno luck today$"
    ):
        await supervise(process, said.append, restart=False)
    assert said == []
