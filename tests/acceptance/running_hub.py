"""A running hub on a fast clock, and users with phones and dashboards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from hub.accounts.account import Account
from hub.client.clinic import Clinic as Door
from hub.client.clinic import clinic_at
from hub.client.commands import Commands, Timeouts
from hub.client.member import Member
from hub.ops.judge.dashboard import Dashboard
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.views import AppointmentView
from hub.settings import timekeeper
from hub.texting.text import Line, Text
from tests import people
from tests.phones import Arrived, Phones
from tests.stack import Stack

_PATIENCE = Timeouts(total=30.0, attempt=12.0)
_LOOK_EVERY = 0.05
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """A user with a phone and a dashboard."""

    account: Account
    member: Member
    commands: Commands
    dashboard: Dashboard

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def phone(self) -> str:
        assert self.account.phone
        return self.account.phone

    def told(self, appointment_id: str) -> list[str]:
        """Return the types of the events of an appointment that the dashboard has received, in order."""
        return [seen.event.type for seen in self.dashboard.received if seen.event.appointment.id == appointment_id]


class RunningHub:
    """The hub of a stack: adds users, and waits for what reaches them."""

    def __init__(self, stack: Stack, records: Records, phones: Phones, door: Door, lines: AsyncExitStack) -> None:
        self.stack = stack
        self.records = records
        self.phones = phones
        self.clock = timekeeper(stack.settings)
        self._door = door
        self._lines = lines
        self._numbers = count(1)
        self._tokens = people.tokens_of(stack.settings, self.clock)

    def number(self, line: Line) -> str:
        """Return the clinic's phone number of a line."""
        settings = self.stack.settings
        number = settings.twilio_from_patient if line == "patient" else settings.twilio_from_doctor
        assert number
        return number

    async def doctor(self, zone: str = "UTC") -> Person:
        """Sign in a new doctor, who works round the clock."""
        number = next(self._numbers)
        return await self._enter(people.doctor(f"doctor-{number}", zone, phone=_phone(number)))

    async def patient(self, phone: str | None = None) -> Person:
        """Sign in a new patient."""
        number = next(self._numbers)
        return await self._enter(people.patient(f"patient-{number}", phone=phone or _phone(number)))

    def slot_in(self, ahead: timedelta) -> datetime:
        """Return the start of the first slot (UTC) that is at least this far ahead."""
        at = self.clock() + ahead
        return datetime.fromtimestamp(
            -(-at.timestamp() // APPOINTMENT_DURATION.total_seconds()) * APPOINTMENT_DURATION.total_seconds(), UTC
        )

    async def booked(self, patient: Person, doctor: Person, start: datetime) -> AppointmentView:
        """Book a slot for a patient. Fails the test when the booking is refused."""
        answer = await patient.commands.book(doctor.id, start)
        assert answer.appointment, answer
        return answer.appointment

    async def show(self, instant: datetime) -> None:
        """Wait until the hub's clock shows this."""
        await asyncio.sleep(self.clock.seconds_until(instant))

    async def texts_to(self, person: Person) -> list[Arrived]:
        return [text for text in await self.phones.sent() if text.to == person.phone]

    async def texts_about(self, appointment_id: str) -> list[Text]:
        """Return the outbox's texts about an appointment."""
        return await self.records.texts.of_appointment(appointment_id)

    async def appointment(self, appointment_id: str) -> Appointment:
        return (await self.records.appointments.by_ids([appointment_id]))[appointment_id]

    async def until(self, look: Callable[[], Awaitable[T]], what: str, within: float = 90.0) -> T:
        """Return the first true result of `look`. Fails the test after `within` real seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (found := await look()):
            assert loop.time() < deadline, f"not within {within:g} s: {what}"
            await asyncio.sleep(_LOOK_EVERY)
        return found

    async def until_text(self, person: Person, number: int, within: float = 90.0) -> Arrived:
        """Wait for a text of a phone and return it; number 1 is the first."""

        async def look() -> list[Arrived]:
            found = await self.texts_to(person)
            return found if len(found) >= number else []

        return (await self.until(look, f"text {number} reaches {person.id}", within))[number - 1]

    async def until_told(self, person: Person, appointment_id: str, type_: str, within: float = 90.0) -> None:
        """Wait until a dashboard has received this event of an appointment."""

        async def look() -> bool:
            return type_ in person.told(appointment_id)

        await self.until(look, f"{person.id} sees {type_}; seen: {person.told(appointment_id)}", within)

    async def _enter(self, account: Account) -> Person:
        assert await self.records.users.add([account]) is None
        member = self._door.member(people.signed_in(account, self._tokens))
        dashboard = Dashboard(member.user, self.clock)
        line = await self._lines.enter_async_context(member.line(dashboard.callbacks))
        return Person(account, member, line.commands, dashboard)


def _phone(number: int) -> str:
    return f"+1202{5_500_000 + number}"


@asynccontextmanager
async def running_hub(stack: Stack) -> AsyncIterator[RunningHub]:
    """Connect to the hub of a running stack."""
    async with AsyncExitStack() as lines:
        assert stack.settings.mongodb_url
        records = connect(stack.settings.mongodb_url)
        lines.push_async_callback(records.close)
        phones = await lines.enter_async_context(Phones(stack.phones.port))
        door = await lines.enter_async_context(
            clinic_at(stack.base_url(), timekeeper(stack.settings), timeouts=_PATIENCE)
        )
        yield RunningHub(stack, records, phones, door, lines)
