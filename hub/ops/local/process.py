"""One process of a run on one machine: leashed, its output in a file, its death noticed."""

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.ops.local.parent_death_signal import leashed
from hub.ops.local.ports import until_free

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_TAIL_LINES = 20


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it works.

    `environment` None: the one of this process. `port`: the one it listens on, waited for until it is free.
    It works when `ready_line` stands in its log (None: not asked for) and `answers`, one try to get an answer from it,
    says so (None: not tried); `works_within`: the seconds it gets for that.
    `after_death`: what somebody should know when it had to be started again.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    ready_line: str | None = None
    answers: Callable[[], Awaitable[bool]] | None = None
    works_within: float = 30.0
    after_death: str = ""


class StartFailed(Exception):
    """A process ended or kept silent when it should have begun to work; the message says which and shows its log."""


class Process:
    """A program and its present process, which can be started again after it died.

    `held` are file descriptors that stay open as long as the process lives.
    """

    def __init__(self, program: Program, logs: Path, directory: Path | None = None, held: tuple[int, ...] = ()) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._directory = directory
        self._held = held
        self._running: asyncio.subprocess.Process | None = None
        self._log_from = 0

    @property
    def pid(self) -> int:
        """The pid of the process that was started last."""
        return self._started().pid

    @property
    def port(self) -> int:
        """The port that the program listens on."""
        if self.program.port is None:
            raise RuntimeError(f"{self.program.name} listens on no port")
        return self.program.port

    @property
    def alive(self) -> bool:
        """Whether it has been started and has not died."""
        return self._running is not None and self._running.returncode is None

    async def start(self) -> None:
        """Start the process as soon as its port is free. Raises `PortTaken` when that does not come to be."""
        program = self.program
        if program.port is not None:
            await until_free(program.port, program.name, patience=5.0, host=program.host)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            self._running = await asyncio.create_subprocess_exec(
                *leashed(program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=program.environment,
                cwd=self._directory,
                pass_fds=self._held,
                start_new_session=True,  # a Ctrl-C in the terminal is for the run, which stops everything in order
            )

    async def bring_up(self) -> None:
        """Start the process and return when it works. Raises `PortTaken` or `StartFailed`; then nothing runs."""
        await self.start()
        await self.until_it_works()

    async def until_it_works(self) -> None:
        """Return when the started process works. Raises `StartFailed` if it dies or takes too long; then it is dead."""
        works, death = asyncio.create_task(self._until_works()), asyncio.create_task(self.died())
        within = self.program.works_within
        try:
            done, _ = await asyncio.wait({works, death}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            works.cancel()
            death.cancel()
        if death in done:
            raise StartFailed(f"{self.program.name} {self.how_it_died()} at its start{self._shown_tail()}")
        if works not in done:
            await self.kill()
            raise StartFailed(f"{self.program.name} did not begin to work within {within:g} s{self._shown_tail()}")
        works.result()

    async def died(self) -> None:
        """Return when the process has ended."""
        await self._started().wait()

    def how_it_died(self) -> str:
        """Say how the process ended: "exited with code 1", "was killed by SIGKILL"."""
        code = self._started().returncode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with code {code}"

    def obituary(self) -> str:
        """Say which process ended, how, and show the end of its log."""
        return f"{self.program.name} (pid {self.pid}) {self.how_it_died()}{self._shown_tail()}"

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal, if it still lives."""
        if self.alive:
            self._started().send_signal(number)

    async def stop(self, patience: float) -> None:
        """End the process: SIGTERM, and SIGKILL when it still lives after `patience` seconds."""
        if not self.alive:
            return
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                await self.died()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process as kill -9 does, and return when it is gone."""
        self.signal(signal.SIGKILL)
        await self.died()

    def written(self, last: int | None = None) -> str:
        """Return what the process that was started last has written (its `last` bytes), without colours."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(self._log_from if last is None else max(self._log_from, end - last))
            return _ANSI.sub("", log.read().decode(errors="replace"))

    async def _until_works(self) -> None:
        while not await self._works():  # noqa: ASYNC110  # no Event: it is another process
            await asyncio.sleep(0.05)

    async def _works(self) -> bool:
        line, answers = self.program.ready_line, self.program.answers
        return (line is None or line in self.written()) and (answers is None or await answers())

    def _shown_tail(self) -> str:
        tail = "\n".join(self.written(last=8192).splitlines()[-_TAIL_LINES:])
        return f"; the end of {self.log}:\n{tail}" if tail else f"; it wrote nothing to {self.log}"

    def _started(self) -> asyncio.subprocess.Process:
        if self._running is None:
            raise RuntimeError(f"{self.program.name} has not been started")
        return self._running
