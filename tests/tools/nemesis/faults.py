"""Injects the faults of a scenario, and checks that each of them has happened."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from hub.clock import Clock
from hub.ops.local.process import Process, StartFailed
from tests.faults.balancer import Balancer
from tests.faults.judged_run import had_doctors
from tests.phones import Phones
from tests.stack import Stack, is_gone
from tests.tools.nemesis.control import LOGGED, Logs, Misbehaviour, asked
from tests.tools.nemesis.scenario import Fault, Kind

_STOP_WITHIN = 20.0
_LOOK_EVERY = 0.05
_TO_SHOW_WITHIN = 90.0
"""Seconds to wait for a fault to take effect. It needs traffic, and there may be none during an outage."""
_CUT_AT_ONCE, _CUT_EVERY = 4, 0.4
_POSTS = 3
_STARTS = 3
T = TypeVar("T")
_MISBEHAVIOURS: dict[Kind, Misbehaviour] = {
    "replies lost": "lose-replies",
    "replies late": "delay-replies",
    "notices lost": "lose-notices",
    "notices late": "delay-notices",
    "notices lost at an api": "lose-notices-at-api",
}


@dataclass(frozen=True)
class Effect:
    """Whether a fault has happened, and the evidence."""

    happened: bool
    evidence: str


@dataclass(frozen=True)
class InjectedFault:
    """A fault as it was injected. `began` and `ended` are by the hub's clock.

    `stuck`: the error of a process that did not start again and had to be started once more.
    """

    fault: Fault
    began: datetime
    ended: datetime
    found: Effect
    stuck: str = ""


class Nemesis:
    """Injects faults into one stack. Faults overlap, but a process has only one at a time."""

    def __init__(self, stack: Stack, folder: Path, balancer: Balancer, phones: Phones, clock: Clock) -> None:
        self._stack = stack
        self._folder = folder
        self._balancer = balancer
        self._phones = phones
        self._clock = clock
        self._agents = list(stack.agents)
        self._module = "tests.tools.nemesis.agents"
        self._busy: dict[Process, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._membership = asyncio.Lock()
        self._twilio = asyncio.Lock()
        self.injected_faults: list[InjectedFault] = []
        self.deaths: list[str] = []
        """Reports of processes that ended without a fault, with the end of their logs. They were restarted."""

    async def play(self, faults: Sequence[Fault], say: Callable[[str], None]) -> None:
        """Inject the faults at their times. Return when all are over."""
        began = asyncio.get_running_loop().time()

        async def one(fault: Fault) -> None:
            await asyncio.sleep(max(0.0, began + fault.at - asyncio.get_running_loop().time()))
            since, stuck = self._clock(), ""
            try:
                found = await self._way_of(fault)(fault)
            except StartFailed as error:
                found, stuck = Effect(happened=True, evidence="its process was killed"), str(error)
                await self._start_once_more(self._process(fault))
            self.injected_faults.append(InjectedFault(fault, since, self._clock(), found, stuck))
            say(f"{fault.at:7.1f} s  {fault.kind:<28} {'' if found.happened else 'DID NOT HAPPEN: '}{found.evidence}")
            if stuck:
                say(stuck)

        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(one(fault))

    async def keep_alive(self) -> None:
        """Restart processes that end by themselves, for ever; processes with a fault are left alone."""
        while True:
            for process in (*self._agents, *self._stack.apis, self._stack.broker, self._stack.database):
                if not process.alive and not self._busy[process].locked():
                    async with self._busy[process]:
                        await self._start_if_dead(process)
            await asyncio.sleep(_LOOK_EVERY * 10)

    async def _start_if_dead(self, process: Process) -> None:
        """Start a process that has ended by itself, perhaps while its next fault waited for the last one to be over.

        The caller holds its lock.
        """
        if not process.alive:
            self.deaths.append(process.death_report())
            await self._start_once_more(process)

    async def _start_once_more(self, process: Process) -> None:
        """Start a process that failed to start, up to `_STARTS` times."""
        for _ in range(_STARTS):
            with suppress(StartFailed):
                return await self._stack.restart(process)
        raise RuntimeError(f"{process.program.name} does not start any more")

    def _way_of(self, fault: Fault) -> Callable[[Fault], Awaitable[Effect]]:
        match fault.kind:
            case "agents killed" | "api killed" | "broker emptied" | "broker killed" | "database killed":
                return self._kill
            case "agents paused" | "api paused" | "broker paused" | "database paused":
                return self._pause
            case "agents restarted" | "api restarted" | "database restarted":
                return self._restart
            case "agents stalled before a write":
                return self._stall
            case "agents joined and left":
                return self._join
            case "clients cut off":
                return self._cut
            case "Twilio's answers lost":
                return self._lose_answers
            case _:
                return self._misbehave

    def _process(self, fault: Fault) -> Process:
        match fault.kind.split()[0]:
            case "agents":
                return self._agents[fault.which % len(self._agents)]
            case "api":
                return self._stack.apis[fault.which % len(self._stack.apis)]
            case "broker":
                return self._stack.broker
            case _:
                return self._stack.database

    async def _kill(self, fault: Fault) -> Effect:
        process = self._process(fault)
        async with self._busy[process]:
            await self._start_if_dead(process)
            pid = process.pid
            await self._stack.kill(process)
            gone = is_gone(pid)
            if fault.kind == "broker emptied":
                self._stack.empty_broker()
            await asyncio.sleep(fault.seconds)
            await self._stack.restart(process)
            return Effect(gone and process.pid != pid, f"{process.program.name}: kill -9 of {pid}, now {process.pid}")

    async def _restart(self, fault: Fault) -> Effect:
        process = self._process(fault)
        async with self._busy[process]:
            await self._start_if_dead(process)
            pid = process.pid
            await self._stack.end(process, patience=_STOP_WITHIN)
            how = process.how_it_died()
            await self._stack.restart(process)
            return Effect(process.pid != pid, f"{process.program.name}: SIGTERM to {pid}, it {how}, now {process.pid}")

    async def _pause(self, fault: Fault) -> Effect:
        process = self._process(fault)
        async with AsyncExitStack() as locks:
            if fault.kind == "broker paused" and self._stack.broker_kind == "embedded":
                # See docs/faults.md: with a third worker that comes and goes, nobody got doctors again for minutes.
                await locks.enter_async_context(self._membership)
            await locks.enter_async_context(self._busy[process])
            await self._start_if_dead(process)
            await self._stack.pause(process)
            return await self._keep_stopped(process, fault.seconds)

    async def _keep_stopped(self, process: Process, seconds: float) -> Effect:
        """Resume a stopped process after these seconds."""
        pid, loop = process.pid, asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(seconds)
        still = is_stopped(pid)
        lasted = loop.time() - began
        await self._stack.resume(process)
        return Effect(
            still and process.pid == pid and lasted >= seconds,
            f"{process.program.name}: {pid} was stopped for {lasted:.1f} s",
        )

    async def _stall(self, fault: Fault) -> Effect:
        """Stop the next worker that writes, between decision and write, until another worker has its doctors."""
        async with AsyncExitStack() as locks:
            await locks.enter_async_context(self._membership)
            for process in self._agents:
                await locks.enter_async_context(self._busy[process])
                await self._start_if_dead(process)
            with asked(self._folder, "stall"):
                victim = await self._until(lambda: next((p for p in self._agents if is_stopped(p.pid)), None))
            if victim is None:
                return Effect(happened=False, evidence="nobody wrote anything")
            stopped = await self._keep_stopped(victim, fault.seconds)
            went_on = await self._until(lambda: _last_line(victim, '"went_on"'))
            outcome = next(
                (word for word in ("Saved", "Stopped", "Stale") if f'"{word}"' in (went_on or "")), "an error"
            )
            return Effect(stopped.happened, f"{stopped.evidence}; its late write came to {outcome}")

    async def _join(self, fault: Fault) -> Effect:
        async with self._membership:
            newcomer = await self._stack.add_agents(self._module)
            moved = await self._until(lambda: had_doctors(newcomer) or None)
            await asyncio.sleep(fault.seconds)
            await self._stack.end(newcomer, patience=_STOP_WITHIN)
            what = f"{newcomer.program.name} came, {'was given doctors' if moved else 'got no doctors'} and left"
            return Effect(bool(moved), what)

    async def _misbehave(self, fault: Fault) -> Effect:
        word = _MISBEHAVIOURS[fault.kind]
        logs = Logs(self._folder / "logs")
        waited = 0.0
        with asked(self._folder, word):
            await asyncio.sleep(fault.seconds)
            while not (count := await logs.count(LOGGED[word])) and waited < _TO_SHOW_WITHIN:
                await asyncio.sleep(1.0)
                waited += 1.0
        return Effect(count > 0, f"{count} of them")

    async def _cut(self, fault: Fault) -> Effect:
        chance, before, loop = random.Random(fault.which), self._balancer.cuts, asyncio.get_running_loop()
        until = loop.time() + fault.seconds
        while loop.time() < until:
            self._balancer.cut(_CUT_AT_ONCE, chance)
            await asyncio.sleep(_CUT_EVERY)
        return Effect(self._balancer.cuts > before, f"{self._balancer.cuts - before} connections")

    async def _lose_answers(self, _: Fault) -> Effect:
        """Let the Twilio stub accept the next texts and cut the connection before it answers."""
        async with self._twilio:
            await self._phones.fault("dropped", count=_POSTS)
            waited = 0.0
            while (left := await self._left()) and waited < _TO_SHOW_WITHIN:
                await asyncio.sleep(0.5)
                waited += 0.5
            await self._phones.no_more_faults()
            return Effect(left < _POSTS, f"{_POSTS - left} texts")

    async def _left(self) -> int:
        return sum(int(fault["count"]) for fault in (await self._phones.state())["faults"])

    async def _until(self, look: Callable[[], T | None]) -> T | None:
        """Return the first result of `look` that is not None, or None after a timeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _TO_SHOW_WITHIN
        while (seen := look()) is None and loop.time() < deadline:  # noqa: ASYNC110 -- it is another process
            await asyncio.sleep(_LOOK_EVERY)
        return seen


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped by SIGSTOP."""
    try:
        return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _last_line(process: Process, word: str) -> str | None:
    return next((line for line in reversed(process.written().splitlines()) if word in line), None)
