"""One run at a time on a DATA_DIR."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from hub.ops.local.data_dir_lock import DataDirTaken, RunInfo, find_run, locked_data_dir
from hub.ops.local.process import Process, Program

WAIT = 0.2


async def test_a_second_run_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    async with locked_data_dir(tmp_path):
        with pytest.raises(DataDirTaken, match=f"{tmp_path}.* pid {os.getpid()}"):
            async with locked_data_dir(tmp_path, WAIT):
                pytest.fail("two runs have one DATA_DIR")
    async with locked_data_dir(tmp_path):
        pass


async def test_a_process_that_a_run_left_behind_keeps_the_lock(tmp_path: Path) -> None:
    async with locked_data_dir(tmp_path) as lock:
        left = Process(
            Program("left", (sys.executable, "-c", "import signal; signal.pause()")),
            tmp_path,
            inherited=(lock.descriptor,),
        )
        await left.start()
    with pytest.raises(DataDirTaken):
        async with locked_data_dir(tmp_path, WAIT):
            pytest.fail("the database of the other run may still write")
    await left.kill()
    async with locked_data_dir(tmp_path):
        pass


async def test_a_run_waits_until_the_run_before_it_has_ended(tmp_path: Path) -> None:
    first = locked_data_dir(tmp_path)
    await first.__aenter__()
    second = asyncio.create_task(locked_data_dir(tmp_path, wait=10.0).__aenter__())
    await asyncio.sleep(0)
    assert not second.done()
    await first.__aexit__(None, None, None)
    os.close((await second).descriptor)


async def test_the_addresses_of_a_run_are_found_as_long_as_it_runs(tmp_path: Path) -> None:
    assert find_run(tmp_path) is None
    run = RunInfo(pid=os.getpid(), urls=("http://127.0.0.1:8000",), mongodb_url="mongodb://127.0.0.1:20000/clinic")
    async with locked_data_dir(tmp_path) as lock:
        assert find_run(tmp_path) == RunInfo(pid=os.getpid())
        lock.publish(run)
        assert find_run(tmp_path) == run
    assert find_run(tmp_path) is None


async def test_a_killed_run_has_no_addresses_even_when_the_lock_is_still_held(tmp_path: Path) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    async with locked_data_dir(tmp_path) as lock:
        lock.publish(RunInfo(pid=gone.pid, urls=("http://127.0.0.1:1",), mongodb_url="mongodb://127.0.0.1:2"))
        assert find_run(tmp_path) == RunInfo(pid=gone.pid)
