"""The in-memory record and MongoDB agree on any sequence of writes, also on invalid ones."""

import random

import pytest

from hub.records.appointment_filter import AppointmentFilter
from hub.records.memory import MemoryRecords
from hub.records.mongo import MongoRecords
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.apply import apply_all, as_of
from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule
from tests.contracts.histories import NINE, QUARTER, Histories


@pytest.mark.parametrize("seed", range(4))
async def test_both_stores_return_the_same_outcome_of_each_save_and_contain_the_same(
    mongo: MongoRecords, seed: int
) -> None:
    memory = MemoryRecords()
    writes = _RandomWrites(random.Random(seed))
    told = set()
    for _ in range(80):
        stored = await memory.appointments.page(AppointmentFilter(), 1000)
        batch = writes.batch(stored, await memory.appointments.schedule_records(_RandomWrites.DOCTORS))

        outcome = await memory.appointments.save(batch)

        assert await mongo.appointments.save(batch) == outcome
        told.add(getattr(outcome, "fence", type(outcome).__name__))
    everything = await memory.appointments.page(AppointmentFilter(), 1000)
    assert await mongo.appointments.page(AppointmentFilter(), 1000) == everything
    for doctor in _RandomWrites.DOCTORS:
        assert await mongo.appointments.events_after(doctor, 0) == await memory.appointments.events_after(doctor, 0)
    schedule_records = await memory.appointments.schedule_records(_RandomWrites.DOCTORS)
    assert await mongo.appointments.schedule_records(_RandomWrites.DOCTORS) == schedule_records != {}
    assert len(told) >= 6, f"these runs met only {told}"


class _RandomWrites:
    """Creates batches of bookings and changes, many of which conflict."""

    DOCTORS = ("dora", "kiran")
    PATIENTS = ("pat", "paul", "pia")
    STARTS = tuple(NINE + number * QUARTER for number in range(12))

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def batch(self, stored: list[Appointment], schedule_records: dict[str, ScheduleRecord]) -> list[Aggregate]:
        histories = Histories()
        aggregates: list[Aggregate] = [*stored, *schedule_records.values()]
        for aggregate in aggregates:
            seqs = histories.seqs
            seqs[aggregate.doctor_id] = max(seqs[aggregate.doctor_id], aggregate.last.seq)
        for doctor in self.DOCTORS:  # sometimes the worker's `seq` is outdated
            histories.seqs[doctor] = max(0, histories.seqs[doctor] - self._chance.choice((0, 0, 0, 0, 1, 2)))
        return [
            self._arranged(schedule_records, histories)
            if self._chance.random() < 0.15
            else self._step(stored, histories)
            for _ in range(self._chance.randint(1, 4))
        ]

    def _arranged(self, schedule_records: dict[str, ScheduleRecord], histories: Histories) -> ScheduleRecord:
        doctor, chance = self._chance.choice(self.DOCTORS), self._chance
        schedule_record = schedule_records.get(doctor) or unchanged_schedule(Schedule(id=doctor, zone="UTC"))
        if chance.random() < 0.2:  # made from an older version
            schedule_record = apply_all(
                unchanged_schedule(schedule_record.initial),
                schedule_record.history[: chance.randint(0, schedule_record.version)],
            )
        return histories.change_hours(schedule_record, command=f"c{chance.getrandbits(60)}")

    def _step(self, stored: list[Appointment], histories: Histories) -> Appointment:
        chance = self._chance
        used = [event.command_id for appointment in stored for event in appointment.history]
        command = chance.choice(used) if used and chance.random() < 0.1 else f"c{chance.getrandbits(60)}"
        if not stored or chance.random() < 0.4:
            return histories.book(
                chance.choice(self.DOCTORS), chance.choice(self.PATIENTS), chance.choice(self.STARTS), command=command
            )
        appointment = chance.choice(stored)
        if chance.random() < 0.1:
            return appointment  # the stored version again
        if chance.random() < 0.2:
            appointment = as_of(appointment, chance.choice(appointment.history).seq)
        match chance.randrange(3):
            case 0:
                return histories.confirm(appointment, command=command)
            case 1:
                return histories.cancel(appointment)
            case _:
                return histories.move(appointment, chance.choice(self.STARTS))
