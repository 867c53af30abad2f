"""`clinic-hub run` as a process that tests start and end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.ops.local.data_dir_lock import RunInfo, find_run
from hub.ops.local.parent_death_signal import with_parent_death_signal
from hub.settings import Settings, child_environment
from tests.stack import is_gone, until

CLINIC_HUB = str(Path(sys.executable).with_name("clinic-hub"))
STANDINS = Path(__file__).parent / "standins"
"""The working folder of a run with stand-ins: `python -m agents` and `python -m api` look here first."""


@dataclass
class Hub:
    """A run that a test started. `process` is the run, or the shell that started it."""

    process: asyncio.subprocess.Process
    data: Path

    @property
    def running(self) -> RunInfo:
        """The addresses of the run; a `RunInfo` with pid 0 before its start and after its end."""
        return find_run(self.data) or RunInfo(pid=0)

    def children(self) -> dict[str, int]:
        """Return the pids of the run's processes, by name."""
        run = self.running.pid
        if not run:
            return {}
        listed = [int(pid) for pid in Path(f"/proc/{run}/task/{run}/children").read_text().split()]
        named = {_what(pid): pid for pid in listed if not is_gone(pid)}
        return {name: pid for name, pid in named.items() if name is not None}  # skip a child before its exec

    async def until_up(self) -> None:
        """Return when everything is ready; fail with the output when the run ends first."""
        await until(lambda: self.process.returncode is not None or bool(self.running.urls), "the hub is up", within=240)
        assert self.process.returncode is None, await self.end()

    async def end(self) -> tuple[int, str]:
        """Return the exit code and all output of a run that is about to end."""
        out, _ = await asyncio.wait_for(self.process.communicate(), 120)
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
            *with_parent_death_signal([*command, *options]),
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
    """Start the hub and return it when everything is ready."""

    async def up_hub(*options: str, **how: Any) -> Hub:
        hub = await start(*options, **how)
        await hub.until_up()
        return hub

    return up_hub


def environment_of(pid: int) -> set[str]:
    """Return the environment with which the process was started, as NAME=value."""
    return set(Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0"))


def _what(pid: int) -> str | None:
    """Return the name of the process by its command line; None when it is none of ours."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return None
    names = {
        "hub.ops.local.embedded_database": "database",
        "hub.ops.local.twilio_stub": "twilio_stub",
        "kafka.Kafka": "broker",
    }
    names |= {name: name for name in ("broker", "agents", "api")}
    return next((what for word, what in names.items() if word in {Path(part).name for part in command}), None)
