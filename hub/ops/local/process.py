"""One child process of a run: it dies with its parent, writes its output to a log file, and can be restarted."""

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.ops.local.parent_death_signal import with_parent_death_signal
from hub.ops.local.ports import until_free

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_TAIL_LINES = 20


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it is ready.

    `environment`: None means the environment of this process. `port`: where the program listens; it is started when
    that port is free. The program is ready when its log contains `ready_line` (None: not checked) and `probe` returns
    true (None: not checked). It has `ready_timeout` seconds for that.
    `restart_note`: a sentence for the operator after a restart.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    ready_line: str | None = None
    probe: Callable[[], Awaitable[bool]] | None = None
    ready_timeout: float = 30.0
    restart_note: str = ""


class StartFailed(Exception):
    """A process ended or was not ready in time after its start; the message names it and shows its log."""


class Process:
    """A program and its current process. It can be started again after it ended.

    `inherited` are file descriptors that the process inherits and keeps open as long as it lives.
    """

    def __init__(
        self, program: Program, logs: Path, directory: Path | None = None, inherited: tuple[int, ...] = ()
    ) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._directory = directory
        self._inherited = inherited
        self._running: asyncio.subprocess.Process | None = None
        self._log_from = 0

    @property
    def pid(self) -> int:
        """The pid of the current process, or of the last one if it ended."""
        return self._started().pid

    @property
    def port(self) -> int:
        """The port that the program listens on."""
        if self.program.port is None:
            raise RuntimeError(f"{self.program.name} listens on no port")
        return self.program.port

    @property
    def alive(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._running is not None and self._running.returncode is None

    async def start(self) -> None:
        """Start the process as soon as its port is free. Raises `PortTaken` when it is not free within 5 seconds."""
        program = self.program
        if program.port is not None:
            await until_free(program.port, program.name, within=5.0, host=program.host)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            self._running = await asyncio.create_subprocess_exec(
                *with_parent_death_signal(program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=program.environment,
                cwd=self._directory,
                pass_fds=self._inherited,
                start_new_session=True,  # Ctrl-C then reaches only the run, which stops its processes in order
            )

    async def start_and_wait(self) -> None:
        """Start the process and return when it is ready. After `PortTaken` or `StartFailed` no process runs."""
        await self.start()
        await self.wait_until_ready()

    async def wait_until_ready(self) -> None:
        """Return when the started process is ready.

        Raises `StartFailed` if it ends or is not ready in time; a process that is not ready in time is killed.
        """
        ready, death = asyncio.create_task(self._until_ready()), asyncio.create_task(self.died())
        within = self.program.ready_timeout
        try:
            done, _ = await asyncio.wait({ready, death}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            death.cancel()
        if death in done:
            raise StartFailed(f"{self.program.name} {self.how_it_died()} during its start{self._shown_tail()}")
        if ready not in done:
            await self.kill()
            raise StartFailed(f"{self.program.name} was not ready within {within:g} s{self._shown_tail()}")
        ready.result()

    async def died(self) -> None:
        """Return when the process has ended."""
        await self._started().wait()

    def how_it_died(self) -> str:
        """Return how the process ended, as "exited with code 1" or "was killed by SIGKILL"."""
        code = self._started().returncode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with code {code}"

    def death_report(self) -> str:
        """Return which process ended, how, and the end of its log."""
        return f"{self.program.name} (pid {self.pid}) {self.how_it_died()}{self._shown_tail()}"

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal, if it is still alive."""
        if self.alive:
            self._started().send_signal(number)

    async def stop(self, grace: float) -> None:
        """End the process: SIGTERM, then SIGKILL if it is still alive after `grace` seconds."""
        if not self.alive:
            return
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.died()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill the process with SIGKILL and return when it has ended."""
        self.signal(signal.SIGKILL)
        await self.died()

    def written(self, last: int | None = None) -> str:
        """Return the output of the current process (only the `last` bytes, if given), without colour codes."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(self._log_from if last is None else max(self._log_from, end - last))
            return _ANSI.sub("", log.read().decode(errors="replace"))

    async def _until_ready(self) -> None:
        while not await self._is_ready():  # noqa: ASYNC110  # another process cannot set an Event
            await asyncio.sleep(0.05)

    async def _is_ready(self) -> bool:
        line, probe = self.program.ready_line, self.program.probe
        return (line is None or line in self.written()) and (probe is None or await probe())

    def _shown_tail(self) -> str:
        tail = "\n".join(self.written(last=8192).splitlines()[-_TAIL_LINES:])
        return f"; the end of {self.log}:\n{tail}" if tail else f"; it wrote nothing to {self.log}"

    def _started(self) -> asyncio.subprocess.Process:
        if self._running is None:
            raise RuntimeError(f"{self.program.name} has not been started")
        return self._running
