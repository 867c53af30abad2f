"""A process started with the parent death signal never outlives its parent."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.ops.local import parent_death_signal
from tests.stack import is_gone, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of a killed process")

STARTS_A_CHILD = """
import signal, subprocess, sys
from hub.ops.local.parent_death_signal import with_parent_death_signal
child = subprocess.Popen(with_parent_death_signal([sys.executable, "-c", "import signal; signal.pause()"]))
print(child.pid, flush=True)
signal.pause()
"""


@linux_only
async def test_killing_the_parent_ends_the_child() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTS_A_CHILD, stdout=asyncio.subprocess.PIPE)
    child = int(await parent.stdout.readline())
    assert not is_gone(child)
    parent.kill()
    await parent.wait()
    await until(lambda: is_gone(child), "the child is gone")


@linux_only
def test_a_command_whose_parent_is_gone_already_never_runs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with subprocess.Popen([sys.executable, "-c", ""]) as nobody:
        nobody.wait()
    ended = subprocess.run(
        [sys.executable, "-IS", parent_death_signal.__file__, str(nobody.pid), "touch", str(trace)], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert not trace.exists()


def test_the_command_is_run_as_it_is(tmp_path: Path) -> None:
    ended = subprocess.run(
        parent_death_signal.with_parent_death_signal(["sh", "-c", 'echo "$0 $PPID"; exit 3', "a b"]),
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.stdout == f"a b {os.getpid()}\n".encode()
    assert ended.returncode == 3
