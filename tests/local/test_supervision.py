"""A process that dies is started again; one that keeps dying ends the run."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ops.local import supervision
from hub.ops.local.process import Process, Program
from hub.ops.local.supervision import GaveUp, kept_alive
from tests.stack import until

STAYS = (sys.executable, "-c", "import signal; signal.pause()")
FAILS = (sys.executable, "-c", "import sys; print('no luck today'); sys.exit(3)")


@pytest.fixture
def process_of(tmp_path: Path) -> Callable[[Program], Process]:
    return lambda program: Process(program, tmp_path)


async def test_a_death_is_told_and_healed(process_of: Callable[[Program], Process]) -> None:
    said: list[str] = []
    process = process_of(Program("agents", STAYS, after_death="Nothing is lost."))
    await process.start()
    first = process.pid
    watch = asyncio.create_task(kept_alive(process, said.append, heal=True))
    process.signal(signal.SIGKILL)
    await until(lambda: bool(said), "the death is told")
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
        await kept_alive(process, said.append, heal=True)
    assert len(said) == 3
    assert not process.alive


async def test_old_deaths_are_forgiven(
    process_of: Callable[[Program], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "_WITHIN", 0.0)
    said: list[str] = []
    process = process_of(Program("api", FAILS))
    await process.start()
    watch = asyncio.create_task(kept_alive(process, said.append, heal=True))
    await until(lambda: len(said) > 4, "more deaths than a minute may have")
    watch.cancel()
    await process.kill()


async def test_without_healing_the_first_death_ends_the_run(process_of: Callable[[Program], Process]) -> None:
    said: list[str] = []
    process = process_of(Program("database", FAILS))
    await process.start()
    with pytest.raises(
        GaveUp, match=r"^database \(pid \d+\) exited with code 3; the end of .*database\.log:\nno luck today$"
    ):
        await kept_alive(process, said.append, heal=False)
    assert said == []
