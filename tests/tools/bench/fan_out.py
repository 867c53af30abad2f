"""Scenario: one booking at a time, and many dashboards of its doctor that receive the event."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.tools.bench.figures import Figures, milliseconds, quantile
from tests.tools.bench.machine import Meter
from tests.tools.bench.node_server import node_server
from tests.tools.bench.rest import Response, RestClient
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.sockets import SocketClient, open_all
from tests.tools.bench.subject import Subject


async def one_to_many(service: Service, seconds: float, dashboards: int) -> Figures:
    """Measures the time from the booking request over REST until the last dashboard has the event."""
    patient = service.population.patients[0]

    def ask(rest: RestClient) -> asyncio.Future[Response]:
        return rest.book(patient, service.population.free_slot(patient.doctor_id))

    token = service.population.doctor_tokens[patient.doctor_id]
    place = Place(service.host, service.port, token)
    return await measure(place, ask, Meter(service.processes), seconds, dashboards)


async def node_to_many(subject: Subject, seconds: float, dashboards: int) -> Figures:
    """Measures the same with a Node server that only broadcasts. Compare `first to last`."""
    async with node_server(subject.processes["api"]) as (port, pid):
        place = Place("127.0.0.1", port, "anybody")
        return await measure(
            place, lambda rest: rest.send("POST", "/", "anybody", "{}"), Meter({"node": pid}), seconds, dashboards
        )


@dataclass(frozen=True)
class Place:
    """The address and token of the dashboards."""

    host: str
    port: int
    token: str


async def measure(  # noqa: PLR0917  # each is a separate part of the measurement
    place: Place,
    ask: Callable[[RestClient], asyncio.Future[Response]],
    meter: Meter,
    seconds: float,
    dashboards: int,
    prepare: Callable[[SocketClient], Awaitable[None]] | None = None,
    events: int = 1,
) -> Figures:
    """Measure the time from a booking (`ask`) until the last dashboard has all its `events`.

    `prepare` is done with each dashboard before.
    """
    audience = _Audience(dashboards * events)
    async with AsyncExitStack() as stack:
        screens = await open_all(place.host, place.port, [place.token] * dashboards, audience.hear, stack)
        if prepare is not None:
            await asyncio.gather(*map(prepare, screens))
        rest = await RestClient.open(place.host, place.port)
        stack.callback(rest.close)
        took: list[float] = []
        spread: list[float] = []
        meter.begin()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            told = audience.expect()
            began = time.perf_counter()
            response = await ask(rest)
            if response.status != 201:
                raise WrongAnswers(response.body.decode())
            last = await asyncio.wait_for(told, 10)
            took.append(last - began)
            spread.append(last - audience.first)
        cost = meter.cost(len(took))
        # Acks come after all that was told before them, also those of events that do not exist: then nothing is on
        # its way any more.
        await asyncio.gather(*(screen.call("anything", "{}") for screen in screens))
    if audience.heard != len(took) * dashboards * events:
        raise WrongAnswers(f"{len(took)} bookings, {dashboards} dashboards, and {audience.heard} events came")
    return {**milliseconds(took), "first to last, p50 ms": quantile(spread, 0.5) * 1000, **cost}


class _Audience:
    """All dashboards of a measurement."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.heard = 0
        self.first = 0.0
        self._told: asyncio.Future[float] | None = None

    def expect(self) -> asyncio.Future[float]:
        """Return a future: the time at which the last dashboard receives the next event."""
        self._told = asyncio.get_running_loop().create_future()
        return self._told

    def hear(self, _: bytes) -> None:
        if self.heard % self.size == 0:
            self.first = time.perf_counter()
        self.heard += 1
        if self.heard % self.size == 0 and self._told and not self._told.done():
            self._told.set_result(time.perf_counter())
