"""Commands that are sent once: no client waits for them and none repeats them, as if their api process had died.

Repetition would hide a lost command. Each command that the broker accepted must be decided, whichever worker dies.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.bus import topics
from hub.bus.broker_config import broker_config, signatures
from hub.bus.signatures import SIGNATURE
from hub.clock import Timekeeper
from hub.ids import new_id
from hub.records.ports import Records
from hub.scheduling.commands import BookAppointment, CommandAdapter
from hub.scheduling.values import APPOINTMENT_DURATION, Actor, Role
from hub.settings import Settings
from tests.people import doctors_and_patients
from tests.tools.nemesis.people import slot_in

_SEND_WITHIN = 3.0
_FAR_AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class OneShotCommand:
    """A booking that the broker accepted at `at` (the hub's clock), for a slot that no other client books."""

    command_id: str
    doctor_id: str
    at: datetime


class OneShotSender:
    """Books slots far ahead, for each doctor in turn, directly over the bus."""

    def __init__(self, settings: Settings, clock: Timekeeper) -> None:
        self.one_shot_commands: list[OneShotCommand] = []
        self._settings = settings
        self._clock = clock
        self._partitions = settings.kafka_partitions
        doctors, patients = doctors_and_patients(self._partitions, self._partitions, self._partitions, "one-shot")
        self._pairs = list(zip(doctors, patients, strict=True))
        self._first = slot_in(clock, _FAR_AHEAD)

    async def sign_in(self, records: Records) -> None:
        assert await records.users.add([account for pair in self._pairs for account in pair]) is None

    async def send_forever(self, every: float) -> None:
        """Send a command every `every` seconds. A command that the broker did not accept counts as never sent."""
        turn = 0
        while True:
            producer = AIOKafkaProducer(**broker_config(self._settings).client, acks="all")
            with suppress(KafkaError, OSError, TimeoutError):
                try:
                    async with asyncio.timeout(_SEND_WITHIN):
                        await producer.start()
                    while True:
                        async with asyncio.timeout(_SEND_WITHIN):
                            await self._send(producer, turn)
                        turn += 1
                        await asyncio.sleep(every)
                finally:
                    with suppress(KafkaError, OSError, TimeoutError):
                        async with asyncio.timeout(_SEND_WITHIN):
                            await producer.stop()
            turn += 1
            await asyncio.sleep(every)

    async def _send(self, producer: AIOKafkaProducer, turn: int) -> None:
        doctor, patient = self._pairs[turn % len(self._pairs)]
        now = self._clock()
        command = BookAppointment(
            id=new_id(),
            doctor_id=doctor.id,
            patient_id=patient.id,
            start=self._first + turn * APPOINTMENT_DURATION,
            by=Actor(id="desk", role=Role.RECEPTIONIST, via="rest"),
            at=now,
        )
        encoded = CommandAdapter.dump_json(command, by_alias=True, exclude_none=True)
        partition = topics.partition_of(doctor.id, self._partitions)
        headers = [(SIGNATURE, signatures(self._settings).sign(encoded))]
        await producer.send_and_wait(
            topics.COMMANDS, encoded, key=doctor.id.encode(), partition=partition, headers=headers
        )
        self.one_shot_commands.append(OneShotCommand(command.id, doctor.id, self._clock()))
