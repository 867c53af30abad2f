"""Scenario: appointments are cancelled, in turn at a doctor for whom many wait and at one for whom nobody does."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hub.clock import system_clock
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import SlotOffered
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.wish import Wish
from hub.settings import address
from tests.acceptance.ledger import Ledger
from tests.tools.bench.figures import Figures, quantile
from tests.tools.bench.rest import RestClient
from tests.tools.bench.service import WrongAnswers
from tests.tools.bench.subject import Subject

WAITING = 1000
_DAYS = 4
_SLOTS = _DAYS * int(timedelta(days=1) / APPOINTMENT_DURATION)
_PAUSE = 0.02
"""Seconds between two cancellations, so that one does not wait for the offer that follows the one before."""
_PEOPLE_BEFORE = 100_000
"""Other scenarios add fewer to the same hub."""
_OFFERED_WITHIN = 30.0


async def beside(subject: Subject, _: float) -> Figures:
    """Measures the answers to the cancellations of both doctors, and the time from a cancellation to its offer."""
    records = connect(address(subject.stack.settings, "mongodb_url"))
    try:
        ledger = Ledger(records, system_clock() - timedelta(days=30), _PEOPLE_BEFORE)
        awaited, other = await ledger.doctors(2)
        people = [each.id for each in await ledger.patients(2 * _SLOTS + WAITING)]
        first = datetime.combine(system_clock().date() + timedelta(days=3), datetime.min.time(), UTC)
        starts = [first + number * APPOINTMENT_DURATION for number in range(_SLOTS)]
        booked = {
            doctor: await ledger.book([(doctor, *pair) for pair in zip(people[part], starts, strict=True)])
            for doctor, part in ((awaited, slice(_SLOTS)), (other, slice(_SLOTS, 2 * _SLOTS)))
        }
        waiting = people[2 * _SLOTS :]
        wish = Wish(first_day=first.date(), last_day=(first + timedelta(days=_DAYS - 1)).date())
        await ledger.wait(awaited, waiting[:-1], wish)
        await ledger.planned()
        client = await RestClient.open(subject.host, subject.port)
        try:
            await _join(client, subject.population.desk_token, awaited, waiting[-1], wish)
            took: dict[str, list[float]] = {awaited: [], other: []}
            for pair in zip(booked[awaited], booked[other], strict=True):
                for appointment in pair:
                    took[appointment.doctor_id].append(await _cancel(client, subject, appointment))
                    await asyncio.sleep(_PAUSE)
        finally:
            client.close()
        gaps = await _gaps(records, awaited, booked[awaited], waiting)
    finally:
        await records.close()
    ours, none = took[awaited], took[other]
    return {
        "p50 ms": quantile(ours, 0.5) * 1000,
        "p99 ms": quantile(ours, 0.99) * 1000,
        "p50 ms, none": quantile(none, 0.5) * 1000,
        "p99 ms, none": quantile(none, 0.99) * 1000,
        "p99 ratio": quantile(ours, 0.99) / quantile(none, 0.99),
        "offered after, p50 ms": quantile(gaps, 0.5) * 1000,
        "offered after, p99 ms": quantile(gaps, 0.99) * 1000,
    }


async def _join(client: RestClient, token: str, doctor_id: str, patient_id: str, wish: Wish) -> None:
    """Let the last one join over REST: from then on the worker knows the line."""
    days = f'"from":"{wish.first_day}","to":"{wish.last_day}"'
    body = f'{{"doctorId":"{doctor_id}","patientId":"{patient_id}",{days}}}'
    response = await client.send("POST", "/api/v1/waitlist", token, body)
    if response.status != 201:  # created
        raise WrongAnswers(response.body.decode())
    await asyncio.sleep(1.0)


async def _cancel(client: RestClient, subject: Subject, appointment: Appointment) -> float:
    began = time.perf_counter()
    path = f"/api/v1/appointments/{appointment.id}/cancel"
    response = await client.send("PATCH", path, subject.population.desk_token, "{}")
    took = time.perf_counter() - began
    if response.status != 200:  # ok
        raise WrongAnswers(response.body.decode())
    return took


async def _gaps(
    records: MongoRecords, doctor_id: str, booked: Sequence[Appointment], waiting: Sequence[str]
) -> list[float]:
    """Return the seconds from each cancellation to its offer. Each slot is offered once, to the next in the line."""
    deadline = time.perf_counter() + _OFFERED_WITHIN
    offers: list[Appointment] = []
    while len(offers) < len(booked) and time.perf_counter() < deadline:
        await asyncio.sleep(0.2)
        offers = await records.waitlist.offers(doctor_id, booked[0].start)
    made = sorted(offers, key=lambda each: each.history[0].seq)
    if [each.patient_id for each in made] != list(waiting[: len(booked)]):
        raise WrongAnswers(f"{len(made)} of {len(booked)} slots were offered, or not in the order of the line")
    cancelled = await records.appointments.by_ids([each.id for each in booked])
    free_at = {each.start: each.last.at for each in cancelled.values()}
    if sorted(each.start for each in made) != sorted(free_at):
        raise WrongAnswers("a slot was not offered, or twice")
    return [
        (each.history[0].at - free_at[each.start]).total_seconds()
        for each in made
        if isinstance(each.history[0], SlotOffered)
    ]
