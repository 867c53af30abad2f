"""The doctors of the demo: they confirm, cancel and complete the appointments that appear on their dashboards."""

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

_CYCLE = 4
"""Of every four bookings a doctor cancels one, confirms two and leaves one."""


class DoctorInbox:
    """A queue of events, which the doctor handles one after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: asyncio.Queue[AppointmentEvent] = asyncio.Queue()
        self._unhandled = 0
        self._bookings = 0

    @property
    def is_empty(self) -> bool:
        """Whether all events have been handled."""
        return self._unhandled == 0

    def put(self, event: AppointmentEvent) -> None:
        """Add an event."""
        self._unhandled += 1
        self._events.put_nowait(event)

    async def work(self, doctor: Member, commands: Commands) -> None:
        """Handle events until cancelled. First complete one no-show, as for a patient who came late."""
        for appointment in (await doctor.appointments([Status.NO_SHOW]))[-1:]:
            await commands.complete(appointment.id)
        while True:
            event = await self._events.get()
            await self._handle(event, commands)
            self._unhandled -= 1

    async def _handle(self, event: AppointmentEvent, commands: Commands) -> None:
        appointment = event.appointment
        if event.type == "rescheduled":
            await commands.confirm(appointment.id)
        elif event.type == "booked":
            self._bookings += 1
            starts_now = appointment.start - self._clock() < APPOINTMENT_DURATION - timedelta(minutes=1)
            if starts_now or self._bookings == 1:  # the first is completed by mistake, mostly too early
                await commands.complete(appointment.id)
            elif self._bookings % _CYCLE == 0:
                await commands.cancel(appointment.id)
            elif self._bookings % _CYCLE != 1:
                await commands.confirm(appointment.id)


@dataclass(frozen=True)
class ConnectedDoctor:
    """A signed-in doctor with a line, a dashboard and an inbox."""

    doctor: Member
    line: Line
    dashboard: Dashboard
    inbox: DoctorInbox
