"""One run at a time on a DATA_DIR."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from hub.ops.local import data_dir_lock
from hub.ops.local.data_dir_lock import DataDirTaken, Running, claimed, running_on
from hub.ops.local.process import Process, Program


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_dir_lock, "_PATIENCE", 0.2)


async def test_a_second_run_is_refused_and_told_whose_the_folder_is(tmp_path: Path) -> None:
    async with claimed(tmp_path):
        with pytest.raises(DataDirTaken, match=f"{tmp_path}.* pid {os.getpid()}"):
            async with claimed(tmp_path):
                pytest.fail("two runs have one DATA_DIR")
    async with claimed(tmp_path):
        pass


async def test_a_process_that_a_run_left_behind_keeps_the_folder(tmp_path: Path) -> None:
    async with claimed(tmp_path) as ours:
        left = Process(
            Program("left", (sys.executable, "-c", "import signal; signal.pause()")), tmp_path, held=(ours.held,)
        )
        await left.start()
    with pytest.raises(DataDirTaken):
        async with claimed(tmp_path):
            pytest.fail("the database of the other run may still write")
    await left.kill()
    async with claimed(tmp_path):
        pass


async def test_a_run_waits_for_the_last_moments_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir_lock, "_PATIENCE", 10.0)
    first = claimed(tmp_path)
    await first.__aenter__()
    second = asyncio.create_task(claimed(tmp_path).__aenter__())
    await asyncio.sleep(0)
    assert not second.done()
    await first.__aexit__(None, None, None)
    os.close((await second).held)


async def test_others_find_where_a_run_is_as_long_as_it_runs(tmp_path: Path) -> None:
    assert running_on(tmp_path) is None
    there = Running(pid=os.getpid(), urls=("http://127.0.0.1:8000",), mongodb_url="mongodb://127.0.0.1:20000/clinic")
    async with claimed(tmp_path) as ours:
        assert running_on(tmp_path) == Running(pid=os.getpid())
        ours.publish(there)
        assert running_on(tmp_path) == there
    assert running_on(tmp_path) is None


async def test_of_a_run_that_was_killed_no_address_is_told_although_something_holds_its_folder(tmp_path: Path) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    async with claimed(tmp_path) as claim:
        claim.publish(Running(pid=gone.pid, urls=("http://127.0.0.1:1",), mongodb_url="mongodb://127.0.0.1:2"))
        assert running_on(tmp_path) == Running(pid=gone.pid)
