"""Scenario: one booking at a time, and many dashboards of its doctor that are to show it."""

import asyncio
import time
from contextlib import AsyncExitStack

from tests.bench.figures import Figures, milliseconds
from tests.bench.machine import Meter
from tests.bench.rest import RestClient
from tests.bench.sockets import SocketClient
from tests.bench.subject import Subject, WrongAnswers

_AT_ONCE = 50
"""Connections that are opened at a time."""


async def one_to_many(subject: Subject, seconds: float, dashboards: int) -> Figures:
    """Time from asking for the slot, over REST, until the last dashboard has the event."""
    patient = subject.clinic.patients[0]
    token = subject.clinic.doctor_tokens[patient.doctor_id]
    audience = _Audience(dashboards)
    async with AsyncExitStack() as stack:
        screens = await _open(subject, token, audience, stack)
        rest = await RestClient.open(subject.host, subject.port)
        stack.callback(rest.close)
        took: list[float] = []
        meter, end = Meter(subject.processes), time.perf_counter() + seconds
        while time.perf_counter() < end:
            told = audience.expect()
            began = time.perf_counter()
            response = await rest.book(patient, subject.clinic.free_slot(patient.doctor_id))
            if response.status != 201:
                raise WrongAnswers(response.body.decode())
            took.append(await asyncio.wait_for(told, 10) - began)
        cost = meter.cost(len(took))
        # Acks come after all that was told before them: now nothing is on its way any more.
        await asyncio.gather(*(screen.call("sync", "{}") for screen in screens))
    if audience.heard != len(took) * dashboards:
        raise WrongAnswers(f"{len(took)} bookings, {dashboards} dashboards, and {audience.heard} events came")
    return {**milliseconds(took), **cost}


class _Audience:
    """All the dashboards together."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.heard = 0
        self._told: asyncio.Future[float] | None = None

    def expect(self) -> asyncio.Future[float]:
        """Return what will be the moment at which the last one hears of the next booking."""
        self._told = asyncio.get_running_loop().create_future()
        return self._told

    def hear(self, _: bytes) -> None:
        self.heard += 1
        if self.heard % self.size == 0 and self._told and not self._told.done():
            self._told.set_result(time.perf_counter())


async def _open(subject: Subject, token: str, audience: _Audience, stack: AsyncExitStack) -> list[SocketClient]:
    screens: list[SocketClient] = []
    while missing := audience.size - len(screens):
        opened = await asyncio.gather(
            *(
                SocketClient.open(subject.host, subject.port, token, audience.hear)
                for _ in range(min(missing, _AT_ONCE))
            )
        )
        for screen in opened:
            stack.callback(screen.close)
        screens += opened
    return screens
