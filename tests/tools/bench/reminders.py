"""Scenario: reminders come due, 64 in each second."""

import asyncio
import json
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from hub.clock import system_clock
from hub.scheduling.appointment import REMINDER_LEAD
from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.service import DUE_DOCTORS, DUE_EACH, Service, WrongAnswers
from tests.tools.bench.sockets import open_all

_SHORTLY = 45.0
"""Seconds from the write to the first reminder: enough to start the process that reminds, on a busy machine too."""
_PATIENCE = 120.0


async def due(service: Service, _: float, shortly: float = _SHORTLY) -> Figures:
    """Measures the time from the instant at which a reminder is due until its doctor's dashboard is told.

    It is told when the text is on its way.
    """
    late: dict[str, list[float]] = defaultdict(list)
    all_heard = asyncio.Event()

    def hear(packet: bytes) -> None:
        _, event = json.loads(packet[2:])
        if event.get("type") != "reminded":
            return
        appointment = event["appointment"]
        late[appointment["id"]].append(_seconds_late(appointment["start"]))
        if len(late) == DUE_DOCTORS * DUE_EACH:
            all_heard.set()

    began = time.perf_counter()
    tokens = await service.come_due(shortly)
    if time.perf_counter() - began > shortly:
        raise WrongAnswers(f"the start took longer than {shortly:g} s, so the first reminders were late before it")
    async with AsyncExitStack() as stack:
        await open_all(service.host, service.port, tokens, hear, stack)
        if late:
            raise WrongAnswers("the first reminders came before every dashboard was connected")
        try:
            await asyncio.wait_for(all_heard.wait(), _PATIENCE)
        except TimeoutError:
            raise WrongAnswers(f"{len(late)} of {DUE_DOCTORS * DUE_EACH} reminders came") from None
    if twice := [id_ for id_, times in late.items() if len(times) > 1]:
        raise WrongAnswers(f"{len(twice)} reminders came more than once")
    seconds = [times[0] for times in late.values()]
    if min(seconds) < 0:
        raise WrongAnswers(f"a reminder came {-min(seconds):g} s too early")
    return {**milliseconds(seconds), "last ms": max(seconds) * 1000}


def _seconds_late(start: str) -> float:
    return (system_clock() - datetime.fromisoformat(start) + REMINDER_LEAD) / timedelta(seconds=1)
