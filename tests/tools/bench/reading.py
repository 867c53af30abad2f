"""Scenario: reads from a record with years of appointments, without writes."""

import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from hub.clock import system_clock
from hub.scheduling.values import rfc3339
from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.load import OK, Operation, keep_in_flight
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import FIRST_NAMES, LAST_NAMES, Population
from tests.tools.bench.rest import RestClient
from tests.tools.bench.service import Service, WrongAnswers


@dataclass(frozen=True)
class Question:
    """A path and the access token of the request."""

    path: str
    token: str


Questions = Callable[[Population, random.Random], Question]
"""Chooses one request at random."""


async def asked(service: Service, seconds: float, questions: Questions, in_flight: int) -> Figures:
    """Operation at random, the same questions at every run, and see that each is answered with something."""
    async with AsyncExitStack() as stack:
        operations = []
        for number in range(in_flight):
            client = await RestClient.open(service.host, service.port)
            stack.callback(client.close)
            operations.append(_operations(client, service.population, questions, random.Random(number)))
        meter = Meter(service.processes)
        answers = await keep_in_flight(operations, seconds)
        cost = meter.cost(len(answers.seconds))
    if set(answers.said) != {OK}:
        raise WrongAnswers(f"not every question was answered: {answers.said.most_common(3)}")
    return {"requests/s": answers.in_time / seconds, **milliseconds(answers.seconds), **cost}


def slots_of_a_day(population: Population, chance: random.Random) -> Question:
    """A patient reads the slots of a day within the next year."""
    day = (system_clock() + timedelta(days=chance.randrange(365))).date()
    patient = chance.choice(population.patients)
    return Question(f"/api/v1/doctors/{_doctor(population, chance)}/slots?date={day}", patient.token)


def list_of_a_patient(population: Population, chance: random.Random) -> Question:
    """A patient lists all their appointments."""
    return Question("/api/v1/appointments", chance.choice(population.patients).token)


def week_of_a_doctor(population: Population, chance: random.Random) -> Question:
    """A doctor lists a week of the last year or the next half year."""
    begin = system_clock() + timedelta(days=chance.randrange(-365, 180))
    span = f"from={rfc3339(begin)}&to={rfc3339(begin + timedelta(days=7))}"
    return Question(f"/api/v1/appointments?{span}&limit=200", population.doctor_tokens[_doctor(population, chance)])


def missed_by_patients(population: Population, chance: random.Random) -> Question:
    """A doctor queries the no-shows of all years."""
    return Question("/api/v1/appointments?status=no_show", population.doctor_tokens[_doctor(population, chance)])


def statistics_of_all_years(population: Population, chance: random.Random) -> Question:
    """A doctor queries the statistics of all years."""
    doctor = _doctor(population, chance)
    return Question(f"/api/v1/appointments/stats/doctor/{doctor}", population.doctor_tokens[doctor])


def search_of_the_desk(population: Population, chance: random.Random) -> Question:
    """A receptionist types the beginning of a last name, of both names, or of a phone number."""
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    typed = chance.choice([last[:2], last[:5], f"{first} {last[:2]}", f"+4950 {chance.randrange(10)}"])
    return Question(f"/api/v1/patients?{urlencode({'q': typed})}", population.desk_token)


def _doctor(population: Population, chance: random.Random) -> str:
    return chance.choice(_doctors(population))


def _doctors(population: Population) -> Sequence[str]:
    return list(population.doctor_tokens)


def _operations(client: RestClient, population: Population, questions: Questions, chance: random.Random) -> Operation:
    async def ask() -> str:
        question = questions(population, chance)
        answer = await client.send("GET", question.path, question.token, "")
        # An empty list would be answered quickest of all.
        return OK if answer.status == 200 and len(answer.body) > 2 else f"{question.path}: {answer.body.decode()}"

    return ask
