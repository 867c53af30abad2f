"""An agents process without a broker: actors, deadlines and text planner over one record and one clock."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.actor.actors import DoctorActors, Recorded
from agents.actor.doctor_table import DoctorTable
from agents.answers import Answer
from agents.deadlines import Deadlines
from agents.texts.planning import PlanningLimits, TextPlanner
from hub.clock import Timekeeper
from hub.records.memory import MemoryRecords
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command
from hub.texting.wording import Clinic
from tests.agents.actor_fixtures import DOCTORS, NOW, PATIENTS, account
from tests.agents.virtual_time import clock_from

PHONES = {name: f"+1202555010{number}" for number, name in enumerate((*DOCTORS, *PATIENTS))}
CLINIC = Clinic("Riverside Clinic", "555-010-0199")


@dataclass
class Worker:
    """`seen` are the records as deadlines and planner see them. Deadlines pass their commands to `send`."""

    clock: Timekeeper = field(default_factory=lambda: clock_from(NOW))
    records: MemoryRecords = field(default_factory=MemoryRecords)
    seen: Records | None = None
    planning: PlanningLimits = field(default_factory=PlanningLimits)
    sent: list[tuple[datetime, Command]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    broken: Exception | None = None
    """Raised by `send`."""
    deaf: bool = False
    """Whether commands of deadlines do not reach the actors."""

    def __post_init__(self) -> None:
        seen = self.seen or self.records
        self.deadlines = Deadlines(seen.appointments, self.clock, self.send)
        self.actor = DoctorActors(
            self.records, DoctorTable({}), self.clock, on_saved=self._saved, on_orphan=self.deadlines.give_up
        )
        self.planner = TextPlanner(seen, self.clock, CLINIC, self.planning)

    async def open(self, owned: Collection[str] = DOCTORS) -> None:
        """Write the accounts, and assign these doctors to the worker."""
        everybody = [account(name).model_copy(update={"phone": PHONES[name]}) for name in (*DOCTORS, *PATIENTS)]
        await self.records.users.add(everybody)
        self.take_over(owned)

    def take_over(self, owned: Collection[str]) -> None:
        self.actor.forget()
        self.deadlines.take_over(owned.__contains__)
        self.planner.take_over(owned.__contains__)

    async def do(self, *commands: Command) -> None:
        """Let the actors handle commands of people as one batch."""
        self.answers += await self.actor.handle(commands)

    async def send(self, command: Command) -> None:
        """Send the command of a deadline."""
        if self.broken:
            raise self.broken
        self.sent.append((self.clock(), command))
        if not self.deaf:
            await self.do(command)

    async def appointment(self, appointment_id: str) -> Appointment:
        return (await self.records.appointments.by_ids([appointment_id]))[appointment_id]

    async def happened(self, appointment_id: str) -> list[tuple[datetime, str]]:
        """Return the time and type of each event of an appointment."""
        return [(event.at, event.type) for event in (await self.appointment(appointment_id)).history]

    def _saved(self, recorded: Recorded) -> None:
        for each in recorded:
            self.planner.take(each)
        self.deadlines.schedule(recorded[-1].aggregate)


async def until(clock: Timekeeper, instant: datetime) -> None:
    """Wait until the clock shows this and the timers of that instant have run."""
    await asyncio.sleep(clock.seconds_until(instant + timedelta(milliseconds=1)))


def sent(worker: Worker) -> list[tuple[datetime, str]]:
    """Return the time and kind of each command that the deadlines have sent."""
    return [(at, command.kind) for at, command in worker.sent]
