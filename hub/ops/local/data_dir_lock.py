"""A lock that allows one run at a time on a DATA_DIR. It is held as long as any process of the run lives.

The lock file also contains the addresses of the run, so that `clinic-hub seed`, `demo` and `check` find it.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

WAIT = 3.0
"""Seconds to wait for the lock: the processes of a run that was just killed need a moment to end."""


class DataDirTaken(Exception):
    """Another run uses the DATA_DIR; the message gives its pid."""


class RunInfo(BaseModel):
    """A run's pid, the addresses of its api processes, and the URL of its database if that is the embedded one.

    `settings` are those with which the run's processes find the broker and the Twilio stub that it has started. They
    include the stub's token: only the owner may read the lock file.
    """

    pid: int
    urls: tuple[str, ...] = ()
    mongodb_url: str | None = None
    settings: dict[str, str] = {}


@dataclass(frozen=True)
class DataDirLock:
    """The lock on a DATA_DIR. A child process that inherits `descriptor` holds the lock until it ends."""

    descriptor: int

    def publish(self, run: RunInfo) -> None:
        """Write the addresses of this run into the lock file."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, run.model_dump_json().encode(), 0)


@asynccontextmanager
async def locked_data_dir(data_dir: Path, wait: float = WAIT) -> AsyncIterator[DataDirLock]:
    """Lock the DATA_DIR, which is created if missing.

    Raises `DataDirTaken` when another run still holds the lock after `wait` seconds.
    """
    descriptor = _open_lock(data_dir)
    try:
        await _lock(descriptor, data_dir, wait)
        lock = DataDirLock(descriptor)
        lock.publish(RunInfo(pid=os.getpid()))
        yield lock
    finally:
        os.close(descriptor)


def find_run(data_dir: Path) -> RunInfo | None:
    """Return the run that holds the lock on the DATA_DIR; None when there is none.

    For a run that was killed, the result has only its pid. The lock is then held by a process that the run left
    behind, or by a new run that has not published its addresses yet.
    """
    try:
        descriptor = os.open(_lock_file(data_dir), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(descriptor):
            return None
        run = RunInfo.model_validate_json(os.pread(descriptor, 65_536, 0))
        return run if _is_alive(run.pid) else RunInfo(pid=run.pid)
    except ValidationError:  # read between the truncation and the write of `publish`
        return None
    finally:
        os.close(descriptor)


async def _lock(descriptor: int, data_dir: Path, wait: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while not _try_lock(descriptor):
        if loop.time() > deadline:
            run = find_run(data_dir)
            owner = f"pid {run.pid}, or a process it left behind" if run else "another run"
            raise DataDirTaken(f"DATA_DIR {data_dir} is in use by {owner}: stop it, or set DATA_DIR to another folder")
        await asyncio.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # the process exists and belongs to another user
    return True


def _open_lock(data_dir: Path) -> int:
    data_dir.mkdir(parents=True, exist_ok=True)
    return os.open(_lock_file(data_dir), os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "run.lock"
