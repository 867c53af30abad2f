"""Connects doctors and patients: opens their lines, with a dashboard each, and watches days."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date

from hub.client.callbacks import Callbacks
from hub.client.line import Line
from hub.client.member import Member
from hub.client.wire import AppointmentEvent
from hub.clock import Clock
from hub.ops.demo.desk import Desk
from hub.ops.demo.doctors import ConnectedDoctor, DoctorInbox
from hub.ops.demo.free_slots import FreeSlot
from hub.ops.demo.patients import Patient
from hub.ops.demo.sign_in import CannotStart
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.schedule import zone

_MAX_CONCURRENT = 20
_WATCHERS = 6
"""Patients with a line that watch the days of the free slots."""

Show = Callable[[AppointmentEvent], None]
Day = tuple[str, date]
"""A doctor's id and a day in the doctor's time zone."""


class Connector:
    """Opens lines, up to 20 at the same time. They stay open until the stack `lines` is closed."""

    def __init__(self, lines: AsyncExitStack, clock: Clock) -> None:
        self._lines = lines
        self._clock = clock
        self._limit = asyncio.Semaphore(_MAX_CONCURRENT)

    async def connect_doctor(self, doctor: Member, show: Show) -> ConnectedDoctor:
        """Open a doctor's line. Each event goes to the doctor's dashboard, to the inbox and to `show`."""
        dashboard, inbox = Dashboard(doctor.user, self._clock), DoctorInbox(self._clock)

        def on_appointment(event: AppointmentEvent) -> None:
            dashboard.on_event(event)
            inbox.put(event)
            show(event)

        line = await self._open(doctor, replace(dashboard.callbacks, on_appointment=on_appointment))
        return ConnectedDoctor(doctor, line, dashboard, inbox)

    async def connect_patient(self, number: int, member: Member, days: Collection[Day]) -> Patient:
        """Open a line with a dashboard for every second patient; the first of these also watch the days."""
        if number % 2:
            return Patient(number, member)
        dashboard = Dashboard(member.user, self._clock)
        line = await self._open(member, dashboard.callbacks)
        for doctor_id, day in days if number < 2 * _WATCHERS else ():
            if problem := await line.watch(doctor_id, day):
                raise CannotStart(f"{member.user.name} cannot watch {day} of doctor {doctor_id}: {problem}")
        return Patient(number, member, line, dashboard)

    async def connect_desk(self, receptionist: Member) -> Desk:
        """Open a receptionist's line, with a dashboard of all appointments."""
        dashboard = Dashboard(receptionist.user, self._clock)
        return Desk(receptionist, await self._open(receptionist, dashboard.callbacks), dashboard, self._clock)

    async def _open(self, member: Member, callbacks: Callbacks) -> Line:
        async with self._limit:
            return await self._lines.enter_async_context(member.line(callbacks))


@dataclass(frozen=True)
class SignedIn:
    """The users of a demo."""

    doctors: Sequence[Member]
    patients: Sequence[Member]
    receptionist: Member


@dataclass(frozen=True)
class Connected:
    """The users of a demo, with their lines."""

    doctors: Sequence[ConnectedDoctor]
    patients: Sequence[Patient]
    desk: Desk


@asynccontextmanager
async def connected(
    users: SignedIn, free_slots: Sequence[FreeSlot], show: Show, clock: Clock
) -> AsyncIterator[Connected]:
    """Connect all users for the duration of the block. Raises `CannotConnect` and `CannotStart`."""
    days = {(each.doctor.id, each.start.astimezone(zone(each.doctor.zone)).date()): None for each in free_slots}
    async with AsyncExitStack() as lines:
        connector = Connector(lines, clock)
        connected_doctors = await asyncio.gather(*(connector.connect_doctor(doctor, show) for doctor in users.doctors))
        connected_patients = await asyncio.gather(
            *(connector.connect_patient(number, each, days) for number, each in enumerate(users.patients))
        )
        desk = await connector.connect_desk(users.receptionist)
        yield Connected(connected_doctors, connected_patients, desk)
