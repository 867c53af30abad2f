"""Sends a command to the doctor's actor when a deadline is due. It changes no appointment itself.

The only durable timer is the field `due` of an appointment in the record. A worker keeps the deadlines of the next two
minutes of its own doctors in memory and reads again every 30 seconds. So the cost depends on the due deadlines, not on
the stored ones. A deadline that the actor has not settled is read and sent again. Its command always has the same id,
so it takes effect once.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge, Histogram

from hub import ids
from hub.clock import Timekeeper
from hub.records.errors import StoreUnavailable
from hub.records.ports import AppointmentRecords, Deadline, deadline_of
from hub.scheduling.appointment import Appointment, DueKind
from hub.scheduling.commands import Command, MarkNoShow, RemindPatient
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_commands import LapseOffer

log = structlog.get_logger(__name__)
PENDING = Gauge("clinic_deadlines_pending", "Deadlines in memory: those due within the window.")
SENT = Counter("clinic_deadlines_sent_total", "Deadlines whose command was sent.", ["kind"])
GIVEN_UP = Counter("clinic_deadlines_given_up_total", "Deadlines of appointments whose doctor does not exist.")
LATENESS = Histogram(
    "clinic_deadline_lateness_seconds",
    "Seconds from the instant a deadline was due until its command was sent.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)

WINDOW = 120.0
"""Deadlines up to this many real seconds ahead are kept in memory."""
READ_INTERVAL = 30.0
"""Seconds between two reads. A command that was sent and lost is sent again after this time."""
_RETRY_DELAY = 1.0
"""Seconds until the next read after a failed read or a failed command."""
_MAX_IN_FLIGHT = 500
"""Commands that are sent to the broker concurrently."""

HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")

Send = Callable[[Command], Awaitable[None]]
"""Sends a command to its doctor's actor. Raises OSError or KafkaError if the broker cannot be reached."""


@dataclass(order=True, frozen=True)
class _Timer:
    due: datetime
    deadline: Deadline = field(compare=False)


class Deadlines:
    """The timers of one worker."""

    def __init__(self, appointments: AppointmentRecords, clock: Timekeeper, send: Send) -> None:
        self._appointments = appointments
        self._clock = clock
        self._send = send
        self._owns: Callable[[str], bool] = lambda _: False
        self._heap: list[_Timer] = []
        self._known: set[Deadline] = set()
        self._given_up: set[str] = set()
        self._loaded_until = clock()
        self._next_read = clock()
        self._changed = asyncio.Event()

    def take_over(self, owns: Callable[[str], bool]) -> None:
        """Handle the deadlines of these doctors from now on, and of no others. The next step is a read."""
        self._owns = owns
        self._heap.clear()
        self._known.clear()
        self._given_up.clear()
        self._next_read = self._clock()
        self._changed.set()

    def give_up(self, appointment_id: str) -> None:
        """Send no more commands for an appointment whose doctor does not exist, as the actor found out.

        No command can settle such a deadline. An operator has to restore the account or correct the appointment. The
        next worker that takes over tries again.
        """
        if appointment_id not in self._given_up:
            self._given_up.add(appointment_id)
            GIVEN_UP.inc()
            log.error("deadline_given_up", appointment_id=appointment_id, cause="its doctor's account is gone")

    def schedule(self, appointment: Appointment) -> None:
        """Schedule the deadline of an appointment that has just been written, if it is due before the next read."""
        deadline = deadline_of(appointment)
        if deadline and deadline.due <= self._loaded_until:
            self._add([deadline])
            self._changed.set()

    async def run(self) -> None:
        """Send the command of each deadline when it is due, until cancelled."""
        while True:
            self._changed.clear()
            if self._clock() >= self._next_read:
                await self._read()
            await self._fire()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_for()):
                    await self._changed.wait()

    def _idle_for(self) -> float:
        """Return the seconds until the next deadline or the next read."""
        wake = min(self._heap[0].due, self._next_read) if self._heap else self._next_read
        return self._clock.seconds_until(wake)

    async def _read(self) -> None:
        """Read the deadlines of the window. Deadlines that the actor has settled are no longer among them."""
        before = frozenset(self._known)
        # Set these before the read. `take_over` and `schedule` may run during the read, and their values must survive.
        self._loaded_until = self._clock.after(WINDOW)
        self._next_read = self._clock.after(READ_INTERVAL)
        try:
            due = await self._appointments.due(self._loaded_until)
        except StoreUnavailable:
            log.warning("deadlines_not_read", cause="the database does not answer")
            self._next_read = self._clock.after(_RETRY_DELAY)
            return
        added_meanwhile = self._known - before  # the read may have been too early to see these
        self._heap.clear()
        self._known.clear()
        self._add(due)
        self._add(added_meanwhile)

    def _add(self, deadlines: Iterable[Deadline]) -> None:
        for deadline in deadlines:
            if deadline.appointment_id in self._given_up:
                continue
            if deadline not in self._known and self._owns(deadline.doctor_id):
                self._known.add(deadline)
                heapq.heappush(self._heap, _Timer(deadline.due, deadline))
        PENDING.set(len(self._heap))

    async def _fire(self) -> None:
        """Send the commands of all due deadlines."""
        while due := self._pop_due():
            await asyncio.gather(*(self._send_one(deadline) for deadline in due))

    def _pop_due(self) -> list[Deadline]:
        now = self._clock()
        due: list[Deadline] = []
        while self._heap and self._heap[0].due <= now and len(due) < _MAX_IN_FLIGHT:
            due.append(heapq.heappop(self._heap).deadline)
        PENDING.set(len(self._heap))
        return due

    async def _send_one(self, deadline: Deadline) -> None:
        """Send the command of a deadline. If that fails, read again soon: the deadline is still in the record."""
        now = self._clock()
        try:
            await self._send(_command(deadline, now))
        except (OSError, KafkaError) as error:
            log.warning("deadline_not_sent", appointment_id=deadline.appointment_id, error=type(error).__name__)
            self._next_read = min(self._next_read, self._clock.after(_RETRY_DELAY))
            return
        SENT.labels(deadline.kind).inc()
        LATENESS.observe(max(0.0, (now - deadline.due) / timedelta(seconds=1)))


_COMMANDS: Mapping[DueKind, type[RemindPatient | MarkNoShow | LapseOffer]] = {
    "reminder": RemindPatient,
    "no_show": MarkNoShow,
    "offer": LapseOffer,
}


def _command(deadline: Deadline, now: datetime) -> Command:
    """Return the command of a deadline. Its id is derived from the deadline, so it takes effect once.

    The version is part of the id: an appointment that moves away and back to its old start gets another reminder.
    """
    return _COMMANDS[deadline.kind](
        id=ids.derived_id("deadline", deadline.kind, deadline.appointment_id, str(deadline.version)),
        doctor_id=deadline.doctor_id,
        by=HUB,
        at=now,
        appointment_id=deadline.appointment_id,
        start=deadline.start,
    )
