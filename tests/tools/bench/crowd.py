"""Scenario: many idle connections."""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.tools.bench import machine
from tests.tools.bench.figures import Figures
from tests.tools.bench.sockets import open_all
from tests.tools.bench.subject import Subject

_ROUND_OF_PINGS = 10.0
"""The hub pings every client once in this many seconds (`api.sockets.limits`)."""


async def connected(subject: Subject, _: float, clients: int) -> Figures:
    """Measures the rate of connecting, the memory of each connection, and the CPU time of idle connections."""
    api = subject.processes["api"]
    patients = [patient.token for patient in subject.population.crowd]
    tokens = (patients * (clients // len(patients) + 1))[:clients]
    async with AsyncExitStack() as stack:
        empty = machine.resident_bytes(api)
        began = time.perf_counter()
        await open_all(subject.host, subject.port, tokens, lambda _: None, stack)
        took = time.perf_counter() - began
        full = machine.resident_bytes(api)
        meter = machine.Meter({"api": api})
        await asyncio.sleep(_ROUND_OF_PINGS)
        idle = meter.cost(operations=1)["api, CPU ms"] / _ROUND_OF_PINGS
    return {"let in/s": clients / took, "KiB each": (full - empty) / clients / 1024, "idle, CPU ms a second": idle}
