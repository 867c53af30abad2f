"""`clinic-hub run` as a process that tests start and end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.ops.local.data_dir_lock import Running, running_on
from hub.ops.local.parent_death_signal import leashed
from hub.settings import Settings, child_environment
from tests.stack import is_gone, until

CLINIC_HUB = str(Path(sys.executable).with_name("clinic-hub"))
STANDINS = Path(__file__).parent / "standins"
"""A folder to run in so that `python -m agents` and `python -m api` mean the stand-ins: it looks here first."""


@dataclass
class Hub:
    """A run that a test started. `process` is the run, or what started it."""

    process: asyncio.subprocess.Process
    data: Path

    @property
    def running(self) -> Running:
        """Where it is; before it is anywhere, and afterwards, a run without pid."""
        return running_on(self.data) or Running(pid=0)

    def children(self) -> dict[str, int]:
        """Return the pids of the processes of the run, by what they are."""
        run = self.running.pid
        if not run:
            return {}
        listed = [int(pid) for pid in Path(f"/proc/{run}/task/{run}/children").read_text().split()]
        named = {_what(pid): pid for pid in listed if not is_gone(pid)}
        return {name: pid for name, pid in named.items() if name is not None}  # without what is not yet itself

    async def until_up(self) -> None:
        """Return when all of it works; fail with what it said when it ends before."""
        await until(lambda: self.process.returncode is not None or bool(self.running.urls), "the hub is up", within=90)
        assert self.process.returncode is None, await self.end()

    async def end(self) -> tuple[int, str]:
        """Return the exit code and all output of a run that is about to end."""
        out, _ = await asyncio.wait_for(self.process.communicate(), 60)
        return self.process.returncode or 0, out.decode()


StartHub = Callable[..., Awaitable[Hub]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartHub]:
    """Start a command, `clinic-hub run --no-seed` with `options` unless given, with its DATA_DIR in `tmp_path`."""
    started: list[asyncio.subprocess.Process] = []

    async def start_hub(
        *options: str,
        command: tuple[str, ...] = (CLINIC_HUB, "run", "--no-seed"),
        environment: Mapping[str, str] | None = None,
        folder: Path = STANDINS,
    ) -> Hub:
        settings = Settings.model_construct(None, data_dir=tmp_path / "data", port=0)
        process = await asyncio.create_subprocess_exec(
            *leashed([*command, *options]),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            env={**child_environment(settings), **(environment or {})},
        )
        started.append(process)
        return Hub(process, tmp_path / "data")

    yield start_hub
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def up(start: StartHub) -> StartHub:
    """Start the hub and return it when all of it works."""

    async def up_hub(*options: str, **how: Any) -> Hub:
        hub = await start(*options, **how)
        await hub.until_up()
        return hub

    return up_hub


def environment_of(pid: int) -> set[str]:
    """Return what the process was started with, as NAME=value."""
    return set(Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0"))


def _what(pid: int) -> str | None:
    """Return what the process is, by its command line."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return None
    names = {"secantusd-py": "database", "hub.ops.local.twilio_stub": "phones", "kafka.Kafka": "broker"}
    names |= {name: name for name in ("broker", "agents", "api")}
    return next((what for word, what in names.items() if word in {Path(part).name for part in command}), None)
