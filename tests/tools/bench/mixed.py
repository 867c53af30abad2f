"""Scenario: mixed requests. Half read slots, a fifth read lists, and the rest are changes."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Literal

from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.load import OK, Operation, keep_in_flight
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Patient, Population
from tests.tools.bench.rest import Response, RestClient
from tests.tools.bench.subject import Subject, WrongAnswers

_Kind = Literal["slots", "list", "booking", "confirm"]
_TURN: tuple[_Kind, ...] = (
    *("slots", "booking", "list", "slots", "confirm"),
    *("slots", "booking", "slots", "list", "slots"),
)


async def over_rest(subject: Subject, seconds: float, in_flight: int) -> Figures:
    """Each connection reads slots, books, lists and confirms, for its patients in turn."""
    took: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        operations: list[Operation] = []
        patients = subject.population.patients
        for number in range(in_flight):
            client = await RestClient.open(subject.host, subject.port)
            stack.callback(client.close)
            operations.append(_Visitors(client, patients[number::in_flight], subject.population, took).ask)
        before = await subject.appointments()
        meter = Meter(subject.processes)
        answers = await keep_in_flight(operations, seconds)
        cost = meter.cost(len(answers.seconds))
    if set(answers.said) != {OK}:
        raise WrongAnswers(f"not everything was answered: {answers.said.most_common(3)}")
    if (written := await subject.appointments() - before) != len(took["booking"]):
        raise WrongAnswers(f"{len(took['booking'])} bookings were acknowledged, {written} are in the database")
    by_kind = {
        f"{kind}, {name}": value for kind in dict.fromkeys(_TURN) for name, value in milliseconds(took[kind]).items()
    }
    return {"requests/s": answers.in_time / seconds, **by_kind, **cost}


class _Visitors:
    """The patients of one connection, used in turn."""

    def __init__(
        self, client: RestClient, patients: Sequence[Patient], population: Population, took: dict[str, list[float]]
    ) -> None:
        self._client = client
        self._population = population
        self._took = took
        self._kinds = cycle(_TURN)
        self._patients = cycle(patients)
        self._who = next(self._patients)
        self._booked = ""

    async def ask(self) -> str:
        """Operation what comes next, and note how long the answer took."""
        kind = next(self._kinds)
        began = time.perf_counter()
        match kind:
            case "slots":
                day = self._population.free_slot(self._who.doctor_id)[:10]
                answer = await self._get(f"/api/v1/doctors/{self._who.doctor_id}/slots?date={day}")
            case "list":
                answer = await self._get("/api/v1/appointments")
            case "booking":
                answer = await self._client.book(self._who, self._population.free_slot(self._who.doctor_id))
                self._booked = json.loads(answer.body).get("id", "") if answer.status == 201 else ""
            case "confirm":
                path = f"/api/v1/appointments/{self._booked}/confirm"
                answer = await self._client.send("PATCH", path, self._who.token, "")
                self._who = next(self._patients)
        self._took[kind].append(time.perf_counter() - began)
        return OK if answer.status < 300 else answer.body.decode()

    async def _get(self, path: str) -> Response:
        return await self._client.send("GET", path, self._who.token, "")
