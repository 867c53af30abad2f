"""Scenarios: the board of the front desk, a day of all doctors."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

from tests.tools.bench.fan_out import Place, measure
from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Patient, Population
from tests.tools.bench.rest import Response, RestClient
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.sockets import SocketClient

_BOOKED = 8
"""Booked slots of each doctor on the day of the board; as many are free."""
_UNCHANGED = 4
"""Reads of the unchanged board for each read after a booking."""


async def read(service: Service, seconds: float) -> Figures:
    """Read the board, unchanged and after a booking of one doctor, one request at a time."""
    population = service.population
    path = f"/api/v1/board?date={population.day_before.date}"
    unchanged: list[float] = []
    changed: list[float] = []
    async with AsyncExitStack() as stack:
        rest = await RestClient.open(service.host, service.port)
        stack.callback(rest.close)
        await _fill(rest, population)
        await _timed(rest, path, population, [])  # reads the views
        meter = Meter(service.processes)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in range(_UNCHANGED):
                await _timed(rest, path, population, unchanged)
            patient = population.patients[len(changed) % len(population.patients)]
            response = await rest.book(patient, population.free_slot(patient.doctor_id))
            if response.status != 201:
                raise WrongAnswers(response.body.decode())
            await _timed(rest, path, population, changed)
        cost = meter.cost(len(unchanged) + len(changed))
        board = await rest.send("GET", path, population.desk_token, "")
    doctors = json.loads(board.body)["doctors"]
    if len(doctors) != len(population.doctor_tokens) or sum(len(each["appointments"]) for each in doctors) < _BOOKED:
        raise WrongAnswers(f"a board of {len(doctors)} doctors")
    by_kind = {
        f"{kind}, {name}": value
        for kind, values in (("unchanged", unchanged), ("after a booking", changed))
        for name, value in milliseconds(values).items()
    }
    return {**by_kind, "kilobytes": len(board.body) / 1000, **cost}


async def told(service: Service, seconds: float, boards: int) -> Figures:
    """Measure the time from a booking on the board's day until the last board has both its events."""
    population = service.population
    rest = await RestClient.open(service.host, service.port)
    await _fill(rest, population)
    rest.close()
    free = _free(population)

    def ask(rest: RestClient) -> asyncio.Future[Response]:
        return rest.book(*next(free))

    async def show(screen: SocketClient) -> None:
        ack = await screen.call("board", f'{{"date":"{population.day_before.date}"}}')
        if b'"ok":true' not in ack[:100]:
            raise WrongAnswers(ack[:500].decode())

    place = Place(service.host, service.port, population.desk_token)
    return await measure(place, ask, Meter(service.processes), seconds, boards, show, events=2)


def _free(population: Population) -> Iterator[tuple[Patient, str]]:
    """Yield the patients and slots of the board's day that `_fill` has left, doctor by doctor in turn."""
    numbers = _number_of_each(population)
    for step in range(_BOOKED // 2):
        for patient in population.patients:
            yield patient, population.day_before.starts[_BOOKED + 2 * step + numbers[patient.id]]


def _number_of_each(population: Population) -> dict[str, int]:
    """Return the number of each patient among those of the doctor: 0 or 1, as there are two."""
    seen: dict[str, int] = {}
    numbers = {}
    for patient in population.patients:
        numbers[patient.id] = seen.get(patient.doctor_id, 0)
        seen[patient.doctor_id] = numbers[patient.id] + 1
    return numbers


async def _fill(rest: RestClient, population: Population) -> None:
    """Book some slots of every doctor on the day of the board, unless an earlier run has."""
    numbers = _number_of_each(population)
    for patient in population.patients:
        for start in population.day_before.starts[numbers[patient.id] : _BOOKED : 2]:
            response = await rest.book(patient, start)
            if response.status not in {201, 409}:
                raise WrongAnswers(response.body.decode())


async def _timed(rest: RestClient, path: str, population: Population, took: list[float]) -> None:
    began = time.perf_counter()
    response = await asyncio.wait_for(rest.send("GET", path, population.desk_token, ""), 30)
    if response.status != 200:
        raise WrongAnswers(response.body.decode())
    took.append(time.perf_counter() - began)
