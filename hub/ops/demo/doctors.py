"""What the doctors of the morning do: they watch their dashboards, and confirm, cancel and complete what comes up."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from hub.client.commands import Commands
from hub.client.line import Line
from hub.client.member import Member
from hub.client.wire import AppointmentEvent
from hub.clock import Clock
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.values import APPOINTMENT_DURATION, Status

_MOODS = 4


class Desk:
    """A doctor's desk: events come in, and are dealt with one after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: asyncio.Queue[AppointmentEvent] = asyncio.Queue()
        self._to_do = 0
        self._bookings = 0

    @property
    def is_clear(self) -> bool:
        """Whether everything that came in has been dealt with."""
        return self._to_do == 0

    def put(self, event: AppointmentEvent) -> None:
        """Lay an event on the desk."""
        self._to_do += 1
        self._events.put_nowait(event)

    async def work(self, doctor: Member, commands: Commands) -> None:
        """Deal with what comes, for ever; first of all with somebody who was missed and came after all."""
        for appointment in (await doctor.appointments([Status.NO_SHOW]))[-1:]:
            await commands.complete(appointment.id)
        while True:
            event = await self._events.get()
            await self._deal_with(event, commands)
            self._to_do -= 1

    async def _deal_with(self, event: AppointmentEvent, commands: Commands) -> None:
        appointment = event.appointment
        if event.type == "rescheduled":
            await commands.confirm(appointment.id)
        elif event.type == "booked":
            self._bookings += 1
            here_already = appointment.start - self._clock() < APPOINTMENT_DURATION - timedelta(minutes=1)
            if here_already or self._bookings == 1:  # the first one is a slip: as a rule it is too early
                await commands.complete(appointment.id)
            elif self._bookings % _MOODS == 0:
                await commands.cancel(appointment.id)
            elif self._bookings % _MOODS != 1:
                await commands.confirm(appointment.id)


@dataclass(frozen=True)
class Seat:
    """A doctor at work: signed in, with a line, a dashboard and a desk."""

    doctor: Member
    line: Line
    dashboard: Dashboard
    desk: Desk
