"""Everybody arrives: lines are opened, dashboards switched on, days watched."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date

from hub.client.callbacks import Callbacks
from hub.client.line import Line
from hub.client.member import Member
from hub.client.wire import AppointmentEvent
from hub.clock import Clock
from hub.ops.demo.doctors import Desk, Seat
from hub.ops.demo.openings import Opening
from hub.ops.demo.patients import Patient
from hub.ops.demo.people import CannotBegin
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.schedule import zone

_CONNECT_AT_ONCE = 20
_WATCHERS = 6
"""How many of the patients with a line watch the days on which there is something to race for."""

Show = Callable[[AppointmentEvent], None]
Day = tuple[str, date]
"""A doctor's id and a day by the doctor's calendar."""


class Connector:
    """Lets people in, a few at a time; their lines are open until the stack of `lines` is left."""

    def __init__(self, lines: AsyncExitStack, clock: Clock) -> None:
        self._lines = lines
        self._clock = clock
        self._turn = asyncio.Semaphore(_CONNECT_AT_ONCE)

    async def seat(self, doctor: Member, show: Show) -> Seat:
        """Give a doctor a dashboard, a desk and a line that feeds both; `show` is called with each event too."""
        dashboard, desk = Dashboard(doctor.user, self._clock), Desk(self._clock)

        def told(event: AppointmentEvent) -> None:
            dashboard.on_event(event)
            desk.put(event)
            show(event)

        line = await self._connect(doctor, replace(dashboard.callbacks, on_appointment=told))
        return Seat(doctor, line, dashboard, desk)

    async def welcome(self, number: int, member: Member, days: Collection[Day]) -> Patient:
        """Give every other patient a line and a dashboard; the first of these watch the days."""
        if number % 2:
            return Patient(number, member)
        dashboard = Dashboard(member.user, self._clock)
        line = await self._connect(member, dashboard.callbacks)
        for doctor_id, day in days if number < 2 * _WATCHERS else ():
            if refusal := await line.watch(doctor_id, day):
                raise CannotBegin(f"{member.user.name} cannot watch {day} of doctor {doctor_id}: {refusal}")
        return Patient(number, member, line, dashboard)

    async def _connect(self, member: Member, callbacks: Callbacks) -> Line:
        async with self._turn:
            return await self._lines.enter_async_context(member.line(callbacks))


@asynccontextmanager
async def arrived(
    doctors: Sequence[Member], patients: Sequence[Member], openings: Sequence[Opening], show: Show, clock: Clock
) -> AsyncIterator[tuple[list[Seat], list[Patient]]]:
    """Give everybody, connected for the length of the block. Raises `CannotConnect` and `CannotBegin`."""
    days = {(each.doctor.id, each.start.astimezone(zone(each.doctor.zone)).date()): None for each in openings}
    async with AsyncExitStack() as lines:
        doors = Connector(lines, clock)
        seats = await asyncio.gather(*(doors.seat(doctor, show) for doctor in doctors))
        guests = await asyncio.gather(*(doors.welcome(number, each, days) for number, each in enumerate(patients)))
        yield list(seats), list(guests)
