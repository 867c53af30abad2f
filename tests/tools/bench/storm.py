"""Scenario: five hundred clients want ten slots at the same moment."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from tests.tools.bench.figures import Figures, milliseconds, quantile
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Patient
from tests.tools.bench.rest import RestClient, booking
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.sockets import SocketClient, open_all

SLOTS = 10
_TAKEN = b'"code":"slot_taken"'

_Book = Callable[[Patient, str], Awaitable[str]]
"""Books a slot over the connection of one client. Returns `booked`, `taken`, or the answer if it was another."""


async def over_sockets(service: Service, seconds: float) -> Figures:
    """Repeats the rush, each time for ten other slots of one doctor, over open sockets."""
    async with AsyncExitStack() as stack:
        tokens = [patient.token for patient in service.population.crowd]
        sockets = await open_all(service.host, service.port, tokens, lambda _: None, stack)
        return await _repeated(service, seconds, [_book_over_socket(socket) for socket in sockets])


async def over_rest(service: Service, seconds: float) -> Figures:
    """The same over an open connection of each client."""
    async with AsyncExitStack() as stack:
        clients = [await RestClient.open(service.host, service.port) for _ in service.population.crowd]
        for client in clients:
            stack.callback(client.close)
        return await _repeated(service, seconds, [_book_over_rest(client) for client in clients])


def _book_over_socket(client: SocketClient) -> _Book:
    async def book(patient: Patient, start: str) -> str:
        ack = await client.call("book", booking(patient, start))
        return "booked" if b'"ok":true' in ack else "taken" if _TAKEN in ack else ack.decode()

    return book


def _book_over_rest(client: RestClient) -> _Book:
    async def book(patient: Patient, start: str) -> str:
        answer = await client.book(patient, start)
        return "booked" if answer.status == 201 else "taken" if _TAKEN in answer.body else answer.body.decode()

    return book


async def _repeated(service: Service, seconds: float, clients: Sequence[_Book]) -> Figures:
    crowd = service.population.crowd
    storms: list[list[float]] = []
    meter = Meter(service.processes)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        starts = [service.population.free_slot(crowd[0].doctor_id) for _ in range(SLOTS)]
        storms.append(await _storm(clients, crowd, starts))
    cost = meter.cost(len(storms) * len(clients))
    answers = [took for storm in storms for took in storm]
    last = [max(storm) for storm in storms]
    return {**milliseconds(answers), "all answered, p50 ms": quantile(last, 0.5) * 1000, **cost}


async def _storm(clients: Sequence[_Book], crowd: Sequence[Patient], starts: Sequence[str]) -> list[float]:
    """Return the seconds until each client had its answer."""
    began = time.perf_counter()
    said: Counter[str] = Counter()

    async def ask(number: int) -> float:
        said[await clients[number](crowd[number], starts[number % len(starts)])] += 1
        return time.perf_counter() - began

    took = await asyncio.gather(*(ask(number) for number in range(len(clients))))
    if said != {"booked": len(starts), "taken": len(clients) - len(starts)}:
        raise WrongAnswers(f"{len(clients)} clients on {len(starts)} slots: {said.most_common(3)}")
    return took
