"""The parts of an agents process without a broker: actor, timers, planner and sender over one record and one clock."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.actor.actors import Doctors
from agents.actor.slot_table import Days
from agents.answers import Answer
from agents.deadlines import Deadlines
from agents.texts.planning import TextPlanner
from hub.clock import Timekeeper
from hub.records.memory import MemoryRecords
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command
from hub.scheduling.recorded_event import Happened
from hub.texting.wording import Clinic
from tests.agents.actor_fixtures import DOCTORS, NOW, PATIENTS, account
from tests.agents.virtual_time import clock_from

PHONES = {name: f"+1202555010{number}" for number, name in enumerate((*DOCTORS, *PATIENTS))}
CLINIC = Clinic("Riverside Clinic", "555-010-0199")


@dataclass
class Practice:
    """One worker. `seen` are the records as its parts see them; commands of timers go to `send`."""

    clock: Timekeeper = field(default_factory=lambda: clock_from(NOW))
    records: MemoryRecords = field(default_factory=MemoryRecords)
    seen: Records | None = None
    sent: list[tuple[datetime, Command]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    broken: Exception | None = None
    """What sending a command fails with."""
    deaf: bool = False
    """Whether the actor does not get what is sent."""

    def __post_init__(self) -> None:
        seen = self.seen or self.records
        self.deadlines = Deadlines(seen.appointments, self.clock, self.send)
        self.actor = Doctors(self.records, Days({}), self.clock, on_saved=self._saved, on_orphan=self.deadlines.give_up)
        self.planner = TextPlanner(seen, self.clock, CLINIC)

    async def open(self, owned: Collection[str] = DOCTORS) -> None:
        """Let everybody in; this worker has these doctors."""
        everybody = [account(name).model_copy(update={"phone": PHONES[name]}) for name in (*DOCTORS, *PATIENTS)]
        await self.records.users.add(everybody)
        self.take_over(owned)

    def take_over(self, owned: Collection[str]) -> None:
        self.actor.forget()
        self.deadlines.take_over(owned.__contains__)
        self.planner.take_over(owned.__contains__)

    async def do(self, *commands: Command) -> None:
        """Let the actor carry commands out, as they come from people."""
        self.answers += await self.actor.handle(commands)

    async def send(self, command: Command) -> None:
        """Take the command of a timer."""
        if self.broken:
            raise self.broken
        self.sent.append((self.clock(), command))
        if not self.deaf:
            await self.do(command)

    async def appointment(self, appointment_id: str) -> Appointment:
        return (await self.records.appointments.by_ids([appointment_id]))[appointment_id]

    async def happened(self, appointment_id: str) -> list[tuple[datetime, str]]:
        """Return what happened to an appointment, and when."""
        return [(event.at, event.type) for event in (await self.appointment(appointment_id)).history]

    def _saved(self, appointment: Appointment) -> None:
        self.deadlines.note(appointment)
        self.planner.take(Happened(appointment.last, appointment))


async def until(clock: Timekeeper, instant: datetime) -> None:
    """Wait until the clock shows this and what was due then has been done."""
    await asyncio.sleep(clock.seconds_until(instant + timedelta(milliseconds=1)))


def sent(practice: Practice) -> list[tuple[datetime, str]]:
    """Return which commands the timers have sent, and when."""
    return [(at, command.kind) for at, command in practice.sent]
