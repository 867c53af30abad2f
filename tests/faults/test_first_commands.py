"""The first commands of a partition arrive while no worker runs, and no client repeats them.

Nothing has been committed of such a partition, so nothing that was committed tells its next owner where to begin.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from hub.bus import topics
from hub.bus.broker_config import signatures
from hub.bus.signatures import SIGNATURE
from hub.clock import system_clock
from hub.ids import new_id
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.commands import BookAppointment, CommandAdapter
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role
from hub.settings import address
from tests.acceptance.ledger import Ledger
from tests.stack import Stack, until

pytestmark = pytest.mark.stack

DOCTORS = 40
"""Enough that each partition has some."""
DECIDED_WITHIN = 30.0


@pytest.mark.parametrize("owner", ["none yet", "paused"])
async def test_first_commands_sent_while_no_worker_runs_are_decided_by_the_next_one(tmp_path: Path, owner: str) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start_engines()
        records = connect(address(stack.settings, "mongodb_url"))
        try:
            await records.prepare()
            ledger = Ledger(records, system_clock())
            doctors, (patient,) = await ledger.doctors(DOCTORS), await ledger.patients(1)
            first = await stack.add_agents()
            if owner == "none yet":
                await stack.kill(first)
                sent = await _send(stack, doctors, patient.id)
                await stack.add_agents()
            else:
                successor = await stack.add_agents()
                await stack.pause(first)
                sent = await _send(stack, doctors, patient.id)
                before = successor.written().count("doctors_taken_over")
                await until(
                    lambda: successor.written().count("doctors_taken_over") > before, "the other one has them all", 30
                )
            await _decided(records, sent)
        finally:
            await records.close()


async def _send(stack: Stack, doctors: list[str], patient_id: str) -> set[str]:
    """Send a booking for each doctor without a reply topic and without expiry. Return the ids."""
    now = system_clock()
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    partitions = stack.settings.kafka_partitions
    commands = [
        BookAppointment(
            id=new_id(),
            doctor_id=doctor_id,
            patient_id=patient_id,
            start=first + number * APPOINTMENT_DURATION,
            by=Actor(id=patient_id, role=Role.PATIENT, via="rest"),
            at=now,
        )
        for number, doctor_id in enumerate(doctors)
    ]
    assert len({topics.partition_of(doctor_id, partitions) for doctor_id in doctors}) == partitions
    async with AIOKafkaProducer(bootstrap_servers=str(stack.settings.kafka_bootstrap_servers)) as producer:
        for command in commands:
            encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
            await producer.send_and_wait(
                topics.COMMANDS,
                encoded,
                key=command.doctor_id.encode(),
                partition=topics.partition_of(command.doctor_id, partitions),
                headers=[(SIGNATURE, signatures(stack.settings).sign(encoded))],
            )
    return {command.id for command in commands}


async def _decided(records: MongoRecords, sent: set[str]) -> None:
    """Return when the record has all of them. Fails with the missing ones after a timeout."""
    end = time.monotonic() + DECIDED_WITHIN
    while missing := sent - set(await records.appointments.by_ids(sent)):
        assert time.monotonic() < end, f"{len(missing)} of {len(sent)} were never decided"
        await asyncio.sleep(0.1)
