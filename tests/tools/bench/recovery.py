"""Scenario: a process gets kill -9. Measures how long its users are not served."""

import asyncio
import json
import time
from contextlib import AsyncExitStack

from hub.bus.topics import partition_of
from hub.ops.local.process import Process
from tests.tools.bench.figures import Figures, quantile
from tests.tools.bench.population import Patient
from tests.tools.bench.rest import RestClient
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.sockets import SocketClient, open_all
from tests.tools.bench.subject import Subject

_PATIENCE = 60.0
"""Seconds after which the measurement gives up."""


async def of_doctors(subject: Subject, _: float) -> Figures:
    """Measures the time from the kill of a worker to the first acknowledged booking of each of its doctors.

    Another worker takes them over. If there is none, the killed one is started again at once, as a supervisor would.
    """
    killed = subject.stack.agents[0]
    held = _partitions(killed)
    patients = [one for one in _one_of_each(subject) if partition_of(one.doctor_id, subject.partitions) in held]
    async with AsyncExitStack() as stack:
        clients = [await RestClient.open(subject.host, subject.port) for _ in patients]
        for client in clients:
            stack.callback(client.close)
        began = time.perf_counter()
        await subject.stack.kill(killed)
        back = asyncio.create_task(subject.stack.restart(killed)) if len(subject.stack.agents) == 1 else None
        async with asyncio.timeout(_PATIENCE):
            pairs = zip(clients, patients, strict=True)
            silent = await asyncio.gather(*(_until_booked(*pair, subject, began) for pair in pairs))
    await (back or subject.stack.restart(killed))
    subject.pin()
    return _silence(silent)


async def of_sockets(subject: Subject, _: float) -> Figures:
    """Measures the time from the kill of an api process until each of its clients is synchronized with another one.

    They come back at once, and all together: what a browser adds to that is its own delay.
    """
    killed, other = subject.stack.apis
    crowd = [patient.token for patient in subject.population.crowd]
    async with AsyncExitStack() as stack:
        sockets = await open_all(subject.host, killed.port, crowd, lambda _: None, stack)
        for socket in sockets:
            await socket.call("sync", "{}")
        began = time.perf_counter()
        await subject.stack.kill(killed)

        async def come_back(gone: SocketClient, token: str) -> float:
            await gone.closed
            socket = await SocketClient.open(subject.host, other.port, token, lambda _: None)
            stack.callback(socket.close)
            ack = await socket.call("sync", "{}")
            if b'"ok":true' not in ack:
                raise WrongAnswers(ack.decode())
            return time.perf_counter() - began

        async with asyncio.timeout(_PATIENCE):
            away = await asyncio.gather(*(come_back(*pair) for pair in zip(sockets, crowd, strict=True)))
    await subject.stack.restart(killed)
    subject.pin()
    return _silence(away)


async def touch_each_doctor(service: Service) -> None:
    """Book with each doctor once, one after the other, so that its worker has read the record."""
    client = await RestClient.open(service.host, service.port)
    for patient in _one_of_each(service):
        await _until_booked(client, patient, service, 0.0)
    client.close()


def _one_of_each(service: Service) -> list[Patient]:
    """Return one patient of each doctor, except the doctor of the crowd."""
    return list({patient.doctor_id: patient for patient in service.population.patients}.values())


def _silence(seconds: list[float]) -> Figures:
    return {
        "who": float(len(seconds)),
        "first after, ms": min(seconds) * 1000,
        "p50 ms": quantile(seconds, 0.5) * 1000,
        "last after, ms": max(seconds) * 1000,
    }


def _partitions(worker: Process) -> set[int]:
    """Return the partitions of a worker's last takeover, from its log."""
    taken_over = [line for line in worker.written().splitlines() if '"event":"doctors_taken_over"' in line]
    return set(json.loads(taken_over[-1])["partitions"])


async def _until_booked(client: RestClient, patient: Patient, service: Service, began: float) -> float:
    """Return the seconds from `began` to an accepted booking with the patient's doctor. The api gives up after 10."""
    while True:
        answer = await client.book(patient, service.population.free_slot(patient.doctor_id))
        if answer.status == 201:
            return time.perf_counter() - began
        if answer.status != 503:
            raise WrongAnswers(answer.body.decode())
