"""Years of appointments, written directly into the record: too many to book them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

from hub.records.appointment_documents import patient_times
from hub.records.documents import Document, to_document
from hub.records.mongo import MongoRecords
from hub.scheduling.apply import apply
from hub.scheduling.appointment import NO_SHOW_DELAY, REMINDER_LEAD, Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentConfirmed,
    AppointmentMissed,
    Event,
    PatientReminded,
)
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role

_A_DAY = 16
"""Slots of a day, from nine to five UTC."""
_DAYS_AHEAD = 200
_AT_ONCE = 1000


def years(doctor_ids: Sequence[str], patient_ids: Sequence[str], each: int, now: datetime) -> Iterator[Appointment]:
    """Yield `each` appointments of each doctor, as of `now`. Every slot is taken, up to 200 days ahead.

    No patient is in two places at once, as long as there are no fewer patients than doctors.
    """
    for number, doctor_id in enumerate(doctor_ids):
        turn = [*patient_ids[number:], *patient_ids[:number]]
        yield from _of(doctor_id, turn, each, now)


async def write(records: MongoRecords, appointments: Iterator[Appointment]) -> None:
    """Write the appointments before the indexes: this halves the time. They cause no texts."""
    collection = records.appointments._collection
    told: dict[str, int] = {}
    while batch := list(islice(appointments, _AT_ONCE)):
        await collection.insert_many([_document(appointment) for appointment in batch], ordered=False)
        told |= {appointment.doctor_id: appointment.last.seq for appointment in batch}
    await records.text_positions.advance(told)
    await records.prepare()


def _document(appointment: Appointment) -> Document:
    times = patient_times(appointment.patient_id, appointment.start)
    return to_document(appointment) | ({"patientTimes": times} if appointment.active else {})


def _of(doctor_id: str, patient_ids: Sequence[str], each: int, now: datetime) -> Iterator[Appointment]:
    chance = random.Random(doctor_id)
    last_day = now.date() + timedelta(days=_DAYS_AHEAD)
    seq = 0
    for number in range(each):
        day = last_day - timedelta(days=(each - 1 - number) // _A_DAY)
        start = datetime.combine(day, time(9), UTC) + number % _A_DAY * APPOINTMENT_DURATION
        patient_id = patient_ids[number % len(patient_ids)]
        appointment: Appointment | None = None
        for kind, at, by, more in _steps(chance, start, patient_id, doctor_id):
            if at > now:
                break
            seq += 1
            header = {"seq": seq, "prev": seq - 1, "command_id": f"{doctor_id}-{seq}", "fingerprint": "0" * 16}
            appointment = apply(appointment, kind(**header, at=at, by=by, **more))
        if appointment:
            yield appointment


def _steps(
    chance: random.Random, start: datetime, patient_id: str, doctor_id: str
) -> Iterator[tuple[type[Event], datetime, Actor, dict[str, Any]]]:
    """Yield the events of an appointment in order of time."""
    patient, doctor, hub = (
        Actor(id=patient_id, role=Role.PATIENT, via="seed"),
        Actor(id=doctor_id, role=Role.DOCTOR, via="seed"),
        Actor(id="deadlines", role=Role.SYSTEM, via="timer"),
    )
    ahead = timedelta(days=_DAYS_AHEAD, minutes=chance.randrange(60 * 24 * 60))
    booking = {
        "doctor_id": doctor_id,
        "patient_id": patient_id,
        "start": start,
        "reason": chance.choice(("a cough", None)),
    }
    yield AppointmentBooked, start - ahead, patient, booking
    if chance.random() < 0.6:
        yield AppointmentConfirmed, start - ahead / 2, patient, {}
    if chance.random() < 0.15:
        yield AppointmentCancelled, start - ahead / 3, patient, {}
        return
    yield PatientReminded, start - REMINDER_LEAD, hub, {}
    if chance.random() < 0.1:
        yield AppointmentMissed, start + NO_SHOW_DELAY, hub, {}
    else:
        yield AppointmentCompleted, start + timedelta(minutes=10), doctor, {}
