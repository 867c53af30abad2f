"""Scenario: five hundred clients want ten slots at the same moment."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

from tests.tools.bench.figures import Figures, milliseconds, quantile
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Population
from tests.tools.bench.rest import booking
from tests.tools.bench.sockets import SocketClient, open_all
from tests.tools.bench.subject import Subject, WrongAnswers

SLOTS = 10
_TAKEN = b'"code":"slot_taken"'


async def on_ten_slots(subject: Subject, seconds: float) -> Figures:
    """Repeats the rush, each time for ten other slots of one doctor, over open sockets."""
    async with AsyncExitStack() as stack:
        tokens = [patient.token for patient in subject.population.crowd]
        sockets = await open_all(subject.host, subject.port, tokens, lambda _: None, stack)
        storms: list[list[float]] = []
        meter = Meter(subject.processes)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            storms.append(await _storm(sockets, subject.population))
        cost = meter.cost(len(storms) * len(sockets))
    answers = [took for storm in storms for took in storm]
    last = [max(storm) for storm in storms]
    return {**milliseconds(answers), "all answered, p50 ms": quantile(last, 0.5) * 1000, **cost}


async def _storm(sockets: Sequence[SocketClient], population: Population) -> list[float]:
    """Return the seconds until each client had its answer."""
    crowd = population.crowd
    starts = [population.free_slot(crowd[0].doctor_id) for _ in range(SLOTS)]
    began = time.perf_counter()
    said: Counter[str] = Counter()

    async def ask(number: int) -> float:
        ack = await sockets[number].call("book", booking(crowd[number], starts[number % SLOTS]))
        said["booked" if b'"ok":true' in ack else "taken" if _TAKEN in ack else ack.decode()] += 1
        return time.perf_counter() - began

    took = await asyncio.gather(*(ask(number) for number in range(len(sockets))))
    if said != {"booked": SLOTS, "taken": len(sockets) - SLOTS}:
        raise WrongAnswers(f"{len(sockets)} clients on {SLOTS} slots: {said.most_common(3)}")
    return took
