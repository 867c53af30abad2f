"""Scenarios: mixed requests over REST."""

import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Literal

from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.load import OK, keep_in_flight
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Patient, Population
from tests.tools.bench.rest import Response, RestClient
from tests.tools.bench.service import Service, WrongAnswers

_Kind = Literal["slots", "list", "day", "one", "booking", "confirm", "cancel"]
_CHANGES: tuple[_Kind, ...] = ("booking", "confirm", "cancel")
_HALF_SLOTS: tuple[_Kind, ...] = (
    *("slots", "booking", "list", "slots", "confirm"),
    *("slots", "booking", "slots", "list", "slots"),
)
_MOSTLY_READS: tuple[_Kind, ...] = (
    *("booking", "slots", "list", "one", "slots"),
    *("confirm", "day", "one", "slots", "list"),
    *("cancel", "one", "slots", "day", "one"),
)


async def half_slots(service: Service, seconds: float, in_flight: int) -> Figures:
    """Half of the requests read slots, a fifth read lists, and the rest are changes."""
    took, rates = await _measured(service, seconds, in_flight, _HALF_SLOTS)
    by_kind = {
        f"{kind}, {name}": value
        for kind in dict.fromkeys(_HALF_SLOTS)
        for name, value in milliseconds(took[kind]).items()
    }
    return {"requests/s": rates.pop("requests/s"), **by_kind, **rates}


async def mostly_reads(service: Service, seconds: float, in_flight: int) -> Figures:
    """Four fifths read: slots, lists of patients, days of doctors, single appointments. The rest change something."""
    took, rates = await _measured(service, seconds, in_flight, _MOSTLY_READS)
    reads = [value for kind, values in took.items() if kind not in _CHANGES for value in values]
    writes = [value for kind in _CHANGES for value in took[kind]]
    by_kind = {
        f"{kind}, {name}": value
        for kind, values in (("reads", reads), ("writes", writes))
        for name, value in milliseconds(values).items()
    }
    return {"requests/s": rates.pop("requests/s"), **by_kind, **rates}


async def _measured(
    service: Service, seconds: float, in_flight: int, turn: tuple[_Kind, ...]
) -> tuple[Mapping[_Kind, Sequence[float]], Figures]:
    """Return the seconds of each request by kind, and requests a second with their cost."""
    took: dict[_Kind, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        visitors: list[_Visitors] = []
        patients = service.population.patients
        for number in range(in_flight):
            client = await RestClient.open(service.host, service.port)
            stack.callback(client.close)
            kinds = turn[number % len(turn) :] + turn[: number % len(turn)]  # not all of them book at the same time
            visitors.append(_Visitors(client, patients[number::in_flight], service.population, kinds, took))
        for visitor in visitors:
            await visitor.arrive()
        before = await service.appointments()
        meter = Meter(service.processes)
        answers = await keep_in_flight([visitor.ask for visitor in visitors], seconds)
        cost = meter.cost(len(answers.seconds))
    if set(answers.said) != {OK}:
        raise WrongAnswers(f"not everything was answered: {answers.said.most_common(3)}")
    if (written := await service.appointments() - before) != len(took["booking"]):
        raise WrongAnswers(f"{len(took['booking'])} bookings were acknowledged, {written} are in the database")
    return took, {"requests/s": answers.in_time / seconds, **cost}


class _Visitors:
    """The patients of one connection. Each booking is for the next one of them."""

    def __init__(
        self,
        client: RestClient,
        patients: Sequence[Patient],
        population: Population,
        turn: Sequence[_Kind],
        took: Mapping[_Kind, list[float]],
    ) -> None:
        self._client = client
        self._population = population
        self._took = took
        self._kinds = cycle(turn)
        self._patients = cycle(patients)
        self._who = next(self._patients)
        self._id = self._day = ""

    async def arrive(self) -> None:
        """Book an appointment that the first requests are about."""
        answer = await self._answer("booking")
        if answer.status != 201:
            raise WrongAnswers(answer.body.decode())

    async def ask(self) -> str:
        """Send what comes next, and note how long the answer took."""
        kind = next(self._kinds)
        began = time.perf_counter()
        answer = await self._answer(kind)
        self._took[kind].append(time.perf_counter() - began)
        # An empty list would be answered quickest of all.
        return OK if answer.status < 300 and len(answer.body) > 2 else f"{kind}: {answer.body.decode()}"

    async def _answer(self, kind: _Kind) -> Response:
        match kind:
            case "slots":
                day = self._population.free_slot(self._who.doctor_id)[:10]
                return await self._send("GET", f"/api/v1/doctors/{self._who.doctor_id}/slots?date={day}")
            case "list":
                return await self._send("GET", "/api/v1/appointments")
            case "day":
                day = f"from={self._day}T00:00:00Z&to={self._day}T23:59:59Z"
                token = self._population.doctor_tokens[self._who.doctor_id]
                return await self._client.send("GET", f"/api/v1/appointments?{day}", token, "")
            case "one":
                return await self._send("GET", f"/api/v1/appointments/{self._id}")
            case "booking":
                return await self._book()
            case "confirm" | "cancel":
                return await self._send("PATCH", f"/api/v1/appointments/{self._id}/{kind}")

    async def _book(self) -> Response:
        self._who = next(self._patients)
        start = self._population.free_slot(self._who.doctor_id)
        answer = await self._client.book(self._who, start)
        self._day = start[:10]
        self._id = json.loads(answer.body).get("id", "") if answer.status == 201 else ""
        return answer

    def _send(self, method: str, path: str) -> Awaitable[Response]:
        return self._client.send(method, path, self._who.token, "")
