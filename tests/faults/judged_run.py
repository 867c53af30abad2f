"""The users of a running hub, what they asked and what they saw: the evidence for the judge."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from hub.accounts.account import Account
from hub.client.answers import Answer
from hub.client.clinic import Clinic as Door
from hub.client.clinic import clinic_at
from hub.client.commands import Commands, Timeouts
from hub.client.member import Member
from hub.clock import system_clock
from hub.ids import instance_id
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.ops.judge.promises import Violation
from hub.ops.judge.reading import read_record
from hub.ops.judge.record import Record
from hub.ops.judge.verdict import judge
from hub.ops.local.process import Process
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.values import APPOINTMENT_DURATION
from tests.days import day_after_tomorrow
from tests.people import doctors_and_patients, signed_in, tokens_of
from tests.stack import Stack, until

PATIENCE = Timeouts(total=60.0, attempt=12.0)
_CONNECT_AT_ONCE = 10


@dataclass(frozen=True)
class Slot:
    """A slot of a doctor."""

    doctor_id: str
    start: datetime


@dataclass(frozen=True)
class Person:
    """A user. With a dashboard, the commands go over its socket; without one, over REST."""

    member: Member
    commands: Commands
    dashboard: Dashboard | None

    @property
    def id(self) -> str:
        return self.member.user.id


@dataclass
class JudgedRun:
    """The users of a test. Every doctor and every other patient has a dashboard from the start."""

    door: Door
    records: Records
    history: History
    doctors: list[Person] = field(default_factory=list)
    patients: list[Person] = field(default_factory=list)

    @property
    def dashboards(self) -> list[Dashboard]:
        return [person.dashboard for person in (*self.doctors, *self.patients) if person.dashboard]

    @property
    def answers(self) -> list[Answer]:
        return [exchange.answer for exchange in self.history.exchanges() if exchange.answer]

    def slots(self, each: int) -> list[Slot]:
        """Return the first `each` slots of each doctor, from the day after tomorrow on."""
        first_day = day_after_tomorrow()
        return [
            Slot(doctor.id, first_day + number * APPOINTMENT_DURATION)
            for number in range(each)
            for doctor in self.doctors
        ]

    async def rush(self, slots: Sequence[Slot], at_once: int = 3) -> None:
        """Every patient tries to book every slot, in a random order, `at_once` at a time."""
        await asyncio.gather(
            *(
                self._book(patient, random.Random(number).sample(slots, len(slots)), at_once)
                for number, patient in enumerate(self.patients)
            )
        )

    async def until_answered(self, count: int, within: float = 60.0) -> None:
        await until(lambda: len(self.answers) >= count, f"{count} commands are answered", within)

    async def verdict(self, at_rest_within: float = 20.0) -> tuple[Record, list[Violation]]:
        """Return the record and the judge's findings, once the dashboards are complete or this time is over."""
        await self._come_to_rest(at_rest_within)
        record = await read_record(self.records, system_clock)
        return record, judge(self.history, self.dashboards, record)

    async def _book(self, patient: Person, slots: Sequence[Slot], at_once: int) -> None:
        turn = iter(slots)

        async def one_after_another(mine: Iterator[Slot]) -> None:
            for slot in mine:
                await patient.commands.book(slot.doctor_id, slot.start)

        await asyncio.gather(*(one_after_another(turn) for _ in range(at_once)))

    async def _come_to_rest(self, within: float) -> None:
        """Return when all dashboards are up to date, or after a timeout: then the judge reports what is missing."""
        try:
            async with asyncio.timeout(within):
                while not await self._is_at_rest():  # noqa: ASYNC110 -- the record has no event for it
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return

    async def _is_at_rest(self) -> bool:
        for doctor in self.doctors:
            last = await self.records.appointments.last_seq(doctor.id)
            if doctor.dashboard and last > doctor.dashboard.last_seq(doctor.id):
                return False
        booked = [answer.appointment for answer in self.answers if answer.appointment]
        return all(
            person.dashboard.has(each.id, each.version)
            for person in self.patients
            if person.dashboard
            for each in booked
            if each.patient_id == person.id
        )


@asynccontextmanager
async def judged_run(
    stack: Stack, doctors: int, patients: int, base_url: str | None = None
) -> AsyncIterator[JudgedRun]:
    """Write the accounts into the record and connect the users, by default to the first api process."""
    records = connect(stack.settings.mongodb_url)
    async with AsyncExitStack() as lines:
        lines.push_async_callback(records.close)
        history = History()
        everybody = [account for accounts in new_people(stack, doctors, patients) for account in accounts]
        assert await records.users.add(everybody) is None
        door = await lines.enter_async_context(clinic_at(base_url or stack.base_url(), system_clock, history, PATIENCE))
        tokens = tokens_of(stack.settings, system_clock)
        members = [door.member(signed_in(account, tokens)) for account in everybody]
        turn = asyncio.Semaphore(_CONNECT_AT_ONCE)

        async def let_in(number: int, member: Member) -> Person:
            if member.user.role == "patient" and number % 2:
                return Person(member, member.commands, None)
            dashboard = Dashboard(member.user, system_clock)
            async with turn:
                line = await lines.enter_async_context(member.line(dashboard.callbacks))
            return Person(member, line.commands, dashboard)

        inside = await asyncio.gather(*(let_in(number, member) for number, member in enumerate(members)))
        yield JudgedRun(door, records, history, inside[:doctors], inside[doctors:])


@asynccontextmanager
async def stranger(stack: Stack, patience: Timeouts) -> AsyncIterator[Commands]:
    """Yield the commands (over REST, with these timeouts) of a patient whom no history records."""
    records = connect(stack.settings.mongodb_url)
    _, (account,) = new_people(stack, 0, 1)
    assert await records.users.add([account]) is None
    await records.close()
    async with clinic_at(stack.base_url(), system_clock, timeouts=patience) as door:
        yield door.member(signed_in(account, tokens_of(stack.settings, system_clock))).commands


def new_people(stack: Stack, doctors: int, patients: int) -> tuple[list[Account], list[Account]]:
    """Return new accounts for this stack, with the doctors spread evenly over the partitions."""
    return doctors_and_patients(doctors, patients, stack.settings.kafka_partitions, instance_id())


def broken(violations: Collection[Violation]) -> set[tuple[int, str]]:
    """Return the number of each broken promise and how it was broken."""
    return {(violation.promise.value, violation.what) for violation in violations}


def had_doctors(agents: Process, since: str = "") -> bool:
    """Whether the process took over partitions, after the log line that contains `since`."""
    _, _, log = agents.written().partition(since) if since else ("", "", agents.written())
    return any('"doctors_taken_over"' in line and '"partitions":[]' not in line for line in log.splitlines())
