"""Python and JavaScript clients that show appointments while these change, and a check of what they show."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.accounts.account import Account
from hub.client.answers import Answer
from hub.client.appointment import unnamed
from hub.client.callbacks import Callbacks
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.client.wire import AppointmentEvent, SyncAnswer
from hub.clock import system_clock
from hub.records.appointment_filter import AppointmentFilter
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import APPOINTMENT_DURATION
from hub.scheduling.views import AppointmentView, view
from tests.days import day_after_tomorrow
from tests.faults.js_clients import JsClients, js_clients
from tests.faults.judged_run import PATIENCE, new_people
from tests.people import signed_in, token, tokens_of
from tests.stack import Stack

_CONNECT_AT_ONCE = 10


def _shown(appointment: AppointmentView) -> dict[str, Any]:
    return unnamed(appointment).model_dump(mode="json", by_alias=True)


@dataclass
class Screen:
    """The snapshots and events that a client has applied, in order, and what it shows now."""

    owner: Account
    log: list[list[Any]] = field(default_factory=list)
    view: dict[str, Any] = field(default_factory=dict)
    cuts: int = 0

    @property
    def callbacks(self) -> Callbacks:
        return Callbacks(on_snapshot=self._snapshot, on_appointment=self._event, on_disconnected=self._cut)

    def _snapshot(self, answer: SyncAnswer) -> None:
        self.log.append(["snapshot", dict(answer.position)])
        self.view = {each.id: _shown(each) for each in answer.appointments}

    def _event(self, event: AppointmentEvent) -> None:
        self.log.append(["event", event.appointment.doctor_id, event.seq])
        self.view[event.appointment.id] = _shown(event.appointment)

    def _cut(self) -> None:
        self.cuts += 1

    def faults(self, due: "Due") -> Iterator[str]:
        """Yield the differences from what the screen should show."""
        position: dict[str, int] = {}
        had: set[tuple[str, int]] = set()
        for what, *said in self.log:
            if what == "snapshot":
                position = dict(said[0])
                had |= {(doctor_id, seq) for doctor_id in position for seq in range(1, position[doctor_id] + 1)}
                continue
            doctor_id, seq = said
            if (doctor_id, seq) in had:
                yield "twice"
            elif seq < position.get(doctor_id, 0):
                yield "out of order"
            position[doctor_id] = seq
            had.add((doctor_id, seq))
        yield from ("lost" for _ in due.events - had)
        if self.view != due.view:
            yield "another view"


@dataclass(frozen=True)
class Due:
    """The events that a user should have received, by doctor and `seq`, and the final appointments."""

    events: set[tuple[str, int]]
    view: dict[str, Any]


def due(person_id: str, record: Sequence[Appointment]) -> Due:
    """Return what a doctor or a patient should have received."""
    own = [each for each in record if person_id in {each.doctor_id, each.patient_id}]
    return Due(
        {(each.doctor_id, event.seq) for each in own for event in each.history},
        {each.id: view(each).model_dump(mode="json", by_alias=True) for each in own},
    )


class Busy:
    """Every patient changes appointments, one after the other, at random times."""

    def __init__(self, records: Records, doctors: Sequence[str], patients: Sequence[Member]) -> None:
        self.records = records
        self.answers: list[Answer] = []
        self._doctors = doctors
        self._patients = patients
        self._first_day = day_after_tomorrow()

    async def change(self, how_many: int) -> None:
        """Make this many changes."""
        each = -(-how_many // len(self._patients))
        await asyncio.gather(*(self._changes(number, patient, each) for number, patient in enumerate(self._patients)))

    async def until(self, how_many: int) -> None:
        """Return after this many changes."""
        while len(self.answers) < how_many:  # noqa: ASYNC110 -- the answers are a list
            await asyncio.sleep(0.02)

    async def _changes(self, number: int, patient: Member, how_many: int) -> None:
        starts = (
            self._first_day + APPOINTMENT_DURATION * (turn * len(self._patients) + number) for turn in itertools.count()
        )
        steps = self._steps(number, patient, starts)
        for _ in range(how_many):
            self.answers.append(await anext(steps))

    async def _steps(self, number: int, patient: Member, starts: Iterator[datetime]) -> AsyncIterator[Answer]:
        ask = patient.commands
        for turn in itertools.count():
            doctor_id = self._doctors[(number + turn) % len(self._doctors)]
            booked = await ask.book(doctor_id, next(starts))
            yield booked
            if booked.appointment is None:
                continue
            yield await ask.confirm(booked.appointment.id)
            yield await ask.reschedule(booked.appointment.id, next(starts))
            yield await ask.cancel(booked.appointment.id)

    async def record(self, doctors: Sequence[str]) -> list[Appointment]:
        """Return all appointments."""
        found: list[Appointment] = []
        for doctor_id in doctors:
            found += await self.records.appointments.page(AppointmentFilter(doctor_id=doctor_id), 1_000_000)
        return found


@dataclass
class Hall:
    """All clients; half of the screens are Python, half JavaScript."""

    busy: Busy
    doctors: list[str]
    python: list[Screen]
    javascript: list[Screen]
    _js: JsClients
    _lines: list[Any]

    async def faults(self, within: float = 30.0) -> list[tuple[str, str]]:
        """Return the differences by user, once there are none or after these seconds."""
        record = await self.busy.record(self.doctors)
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        screens = (*self.python, *self.javascript)
        all_due = due_to(screens, record)
        while True:
            late = loop.time() > end  # asked first: to look at many long screens takes a while
            await show(self.javascript, self._js)
            found = faults_of(screens, all_due)
            if not found or late:
                return found
            await asyncio.sleep(1.0)


async def show(screens: Sequence[Screen], clients: JsClients) -> None:
    """Copy what the JavaScript clients show into their screens."""
    for screen, report in zip(screens, await clients.ask("report"), strict=True):
        screen.log, screen.cuts = report["log"], report["cuts"]
        screen.view = {id_: _without_names(appointment) for id_, appointment in report["view"].items()}


def _without_names(appointment: Mapping[str, Any]) -> dict[str, Any]:
    """Return an appointment as the record has it: the hub adds names for the reader, which have tests of their own."""
    return {field: value for field, value in appointment.items() if field not in {"patient", "doctor"}}


def due_to(screens: Iterable[Screen], record: Sequence[Appointment]) -> dict[str, Due]:
    """Return what each owner of a screen should have received."""
    return {owner_id: due(owner_id, record) for owner_id in {screen.owner.id for screen in screens}}


def faults_of(screens: Sequence[Screen], all_due: Mapping[str, Due]) -> list[tuple[str, str]]:
    """Return the differences by user."""
    return [(screen.owner.id, fault) for screen in screens for fault in screen.faults(all_due[screen.owner.id])]


@asynccontextmanager
async def hall(stack: Stack, url: str, doctors: int, patients: int, screens: int) -> AsyncIterator[Hall]:
    """Write accounts and connect `screens` of each kind: half are doctors', half patients'."""
    records = connect(stack.settings.mongodb_url)
    async with AsyncExitStack() as lines:
        lines.push_async_callback(records.close)
        at_work, at_home = new_people(stack, doctors, patients)
        everybody = [*at_work, *at_home]
        assert await records.users.add(everybody) is None
        tokens = tokens_of(stack.settings, system_clock)
        door = await lines.enter_async_context(clinic_at(url, system_clock, timeouts=PATIENCE))
        members = {each.id: door.member(signed_in(each, tokens)) for each in everybody}
        seats = itertools.cycle(at_work), itertools.cycle(at_home)
        owners = [next(seats[number % 2]) for number in range(2 * screens)]
        python = [Screen(owner) for owner in owners[:screens]]
        javascript = [Screen(owner) for owner in owners[screens:]]
        turn = asyncio.Semaphore(_CONNECT_AT_ONCE)

        async def switch_on(screen: Screen) -> Any:
            async with turn:
                return await lines.enter_async_context(members[screen.owner.id].line(screen.callbacks))

        opened = await asyncio.gather(*(switch_on(screen) for screen in python))
        js = await lines.enter_async_context(js_clients(url, [token(screen.owner, tokens) for screen in javascript]))
        ids = [each.id for each in at_work]
        busy = Busy(records, ids, [members[each.id] for each in at_home])
        yield Hall(busy, ids, python, javascript, js, list(opened))
