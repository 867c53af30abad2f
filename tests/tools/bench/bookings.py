"""Scenario: a number of concurrent bookings, each of a free slot and by a patient who is free then."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import cycle

from hub.bus.topics import partition_of
from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.load import OK, Answers, Operation, keep_in_flight
from tests.tools.bench.machine import Meter
from tests.tools.bench.population import Patient, Population
from tests.tools.bench.rest import RestClient, booking
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.sockets import SocketClient, open_all
from tests.tools.bench.subject import Subject


async def over_rest(service: Service, seconds: float, in_flight: int) -> Figures:
    """One keep-alive connection for each concurrent booking. The patients share them in turn."""
    return await _over_rest(service, seconds, service.population.patients, in_flight)


async def of_one_doctor(service: Service, seconds: float, in_flight: int) -> Figures:
    """The same, with one doctor for all bookings."""
    return await _over_rest(service, seconds, service.population.crowd, in_flight)


async def of_one_partition(subject: Subject, seconds: float, in_flight: int) -> Figures:
    """The same, with doctors of one partition only."""
    by_partition: dict[int, list[Patient]] = defaultdict(list)
    for patient in subject.population.patients:
        by_partition[partition_of(patient.doctor_id, subject.partitions)].append(patient)
    return await _over_rest(subject, seconds, max(by_partition.values(), key=len), in_flight)


async def over_sockets(service: Service, seconds: float, in_flight: int) -> Figures:
    """All patients are connected, even when few book at a time. Each also receives the event of the booking."""
    async with AsyncExitStack() as stack:
        operations = []
        for patients in _shared_out(service.population.patients, in_flight):
            tokens = [patient.token for patient in patients]
            clients = await open_all(service.host, service.port, tokens, lambda _: None, stack)
            operations.append(_operations_over_sockets(cycle(zip(patients, clients, strict=True)), service.population))
        return await _measured(service, operations, seconds)


async def _over_rest(service: Service, seconds: float, patients: Sequence[Patient], in_flight: int) -> Figures:
    async with AsyncExitStack() as stack:
        operations = []
        for share in _shared_out(patients, in_flight):
            client = await RestClient.open(service.host, service.port)
            stack.callback(client.close)
            operations.append(_operations_over_rest(client, share, service.population))
        return await _measured(service, operations, seconds)


def _shared_out(patients: Sequence[Patient], shares: int) -> list[Sequence[Patient]]:
    """With more shares than patients, a patient is in several shares, and books different slots concurrently."""
    return [patients[number::shares] or [patients[number % len(patients)]] for number in range(shares)]


def _operations_over_rest(client: RestClient, patients: Sequence[Patient], population: Population) -> Operation:
    turns = cycle(patients)

    async def ask() -> str:
        patient = next(turns)
        response = await client.book(patient, population.free_slot(patient.doctor_id))
        return OK if response.status == 201 else response.body.decode()

    return ask


def _operations_over_sockets(turns: Iterator[tuple[Patient, SocketClient]], population: Population) -> Operation:
    async def ask() -> str:
        patient, client = next(turns)
        ack = await client.call("book", booking(patient, population.free_slot(patient.doctor_id)))
        return OK if b'"ok":true' in ack else ack.decode()

    return ask


async def _measured(service: Service, operations: Sequence[Operation], seconds: float) -> Figures:
    before = await service.appointments()
    meter = Meter(service.processes)
    answers = await keep_in_flight(operations, seconds)
    cost = meter.cost(len(answers.seconds))
    _check(answers, written=await service.appointments() - before)
    return {"bookings/s": answers.in_time / seconds, **milliseconds(answers.seconds), **cost}


def _check(answers: Answers, written: int) -> None:
    if set(answers.said) != {OK}:
        raise WrongAnswers(f"not every booking was accepted: {answers.said.most_common(3)}")
    if answers.said[OK] != written:
        raise WrongAnswers(f"{answers.said[OK]} bookings were acknowledged, {written} are in the database")
