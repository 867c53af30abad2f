"""One run at a time on a DATA_DIR: a lock that is held as long as any process of the run lives.

The lock file also says where the run can be reached, so that `clinic-hub seed` and `clinic-hub demo` find it.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

_PATIENCE = 3.0
"""Seconds to wait for the processes of a run that has just been killed."""


class DataDirTaken(Exception):
    """Another run has the DATA_DIR; the message names it."""


class Running(BaseModel):
    """Where a run is: its pid, the addresses of its api processes, and its database if that is the embedded one."""

    pid: int
    urls: tuple[str, ...] = ()
    mongodb_url: str | None = None


@dataclass(frozen=True)
class Claim:
    """The right to use a DATA_DIR. A process that keeps `held` open extends it to its own end."""

    held: int

    def publish(self, running: Running) -> None:
        """Say where this run is."""
        os.ftruncate(self.held, 0)
        os.pwrite(self.held, running.model_dump_json().encode(), 0)


@asynccontextmanager
async def claimed(data_dir: Path) -> AsyncIterator[Claim]:
    """Hold the DATA_DIR, made if missing. Raises `DataDirTaken` when another run keeps it for three seconds."""
    held = _open_lock(data_dir)
    try:
        await _lock(held, data_dir)
        claim = Claim(held)
        claim.publish(Running(pid=os.getpid()))
        yield claim
    finally:
        os.close(held)


def running_on(data_dir: Path) -> Running | None:
    """Return where the run that holds the DATA_DIR can be reached; None when there is none.

    Of a run that was killed only its pid is told: what it left behind, or who comes after it and has not said so yet,
    holds the lock.
    """
    try:
        lock = os.open(_lock_file(data_dir), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(lock):
            return None
        there = Running.model_validate_json(os.pread(lock, 65_536, 0))
        return there if _lives(there.pid) else Running(pid=there.pid)
    except ValidationError:  # between its truncation and its write
        return None
    finally:
        os.close(lock)


async def _lock(held: int, data_dir: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE
    while not _try_lock(held):
        if loop.time() > deadline:
            there = running_on(data_dir)
            who = f"pid {there.pid}, or a process it left behind" if there else "another run"
            raise DataDirTaken(f"DATA_DIR {data_dir} is in use by {who}: stop it, or set DATA_DIR to another folder")
        await asyncio.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's
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
