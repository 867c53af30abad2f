"""Turns deadlines that are due into commands to the doctor's own actor. Changes nothing itself.

The record is the only durable timer: `due` of an appointment. A worker keeps in memory what is due soon for its own
doctors, and reads again before that runs out, so what it costs depends on what is due, not on what is stored. What the
actor has not settled yet is read, and sent, again: the id of the command is always the same, so it counts once.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
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
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command, MarkNoShow, RemindPatient
from hub.scheduling.values import Actor, Role

log = structlog.get_logger(__name__)
PENDING = Gauge("clinic_deadlines_pending", "Deadlines in memory: those due within the window.")
SENT = Counter("clinic_deadlines_sent_total", "Deadlines that became commands.", ["kind"])
GIVEN_UP = Counter("clinic_deadlines_given_up_total", "Deadlines of appointments that no actor can decide about.")
LATENESS = Histogram(
    "clinic_deadline_lateness_seconds",
    "From the instant a deadline was due to the moment its command was sent.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)

WINDOW = 120.0
"""Seconds ahead (of real time) that deadlines are kept in memory."""
READ_EVERY = 30.0
"""Seconds between two reads; what was sent and did not arrive is sent again after as long."""
_RETRY = 1.0
"""Seconds after which it reads again when a read, or a sending, failed."""
_AT_ONCE = 500
"""Commands that are on their way to the broker at the same time."""

HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")

Send = Callable[[Command], Awaitable[None]]
"""Puts a command on its way to its doctor's actor; raises OSError or KafkaError when there is no way."""


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
        self._read_again = clock()
        self._changed = asyncio.Event()

    def take_over(self, owns: Callable[[str], bool]) -> None:
        """Answer for these doctors from now on, and for no others; what is due soon is read next."""
        self._owns = owns
        self._heap.clear()
        self._known.clear()
        self._given_up.clear()
        self._read_again = self._clock()
        self._changed.set()

    def give_up(self, appointment_id: str) -> None:
        """Send no more about an appointment of which the actor says that its doctor does not exist.

        Nothing would ever settle such a deadline: who took the account away has to put it back, or the appointment in
        order. The next worker that takes over tries again.
        """
        if appointment_id not in self._given_up:
            self._given_up.add(appointment_id)
            GIVEN_UP.inc()
            log.error("deadline_given_up", appointment_id=appointment_id, reason="its doctor's account is gone")

    def note(self, appointment: Appointment) -> None:
        """Take the new deadline of an appointment that has just been written, if it is due before the next read."""
        deadline = deadline_of(appointment)
        if deadline and deadline.due <= self._loaded_until:
            self._add([deadline])
            self._changed.set()

    async def run(self) -> None:
        """Wait for the next deadline and send its command, for ever."""
        while True:
            self._changed.clear()
            if self._clock() >= self._read_again:
                await self._read()
            await self._fire()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_for()):
                    await self._changed.wait()

    def _idle_for(self) -> float:
        """Return the seconds until there is something to do: wakes exactly then, not to look whether there is."""
        wake = min(self._heap[0].due, self._read_again) if self._heap else self._read_again
        return self._clock.seconds_until(wake)

    async def _read(self) -> None:
        """Read what is due soon. Sent ones that the actor has settled are not among it any more."""
        before = frozenset(self._known)
        # All of these before the read: who takes over or notes something meanwhile must not be overruled by its end.
        self._loaded_until = self._clock.after(WINDOW)
        self._read_again = self._clock.after(READ_EVERY)
        try:
            due = await self._appointments.due(self._loaded_until)
        except StoreUnavailable:
            log.warning("deadlines_not_read", reason="the database does not answer")
            self._read_again = self._clock.after(_RETRY)
            return
        meanwhile = self._known - before  # the read may have been too early for these
        self._heap.clear()
        self._known.clear()
        self._add(due)
        self._add(meanwhile)

    def _add(self, deadlines: Iterable[Deadline]) -> None:
        for deadline in deadlines:
            if deadline.appointment_id in self._given_up:
                continue
            if deadline not in self._known and self._owns(deadline.doctor_id):
                self._known.add(deadline)
                heapq.heappush(self._heap, _Timer(deadline.due, deadline))
        PENDING.set(len(self._heap))

    async def _fire(self) -> None:
        """Send the commands of all that is due."""
        while due := self._pop_due():
            await asyncio.gather(*(self._send_one(deadline) for deadline in due))

    def _pop_due(self) -> list[Deadline]:
        now = self._clock()
        due: list[Deadline] = []
        while self._heap and self._heap[0].due <= now and len(due) < _AT_ONCE:
            due.append(heapq.heappop(self._heap).deadline)
        PENDING.set(len(self._heap))
        return due

    async def _send_one(self, deadline: Deadline) -> None:
        """Send a command; one that cannot be sent is still in the record at the next read, which is soon then."""
        now = self._clock()
        try:
            await self._send(_command(deadline, now))
        except (OSError, KafkaError) as error:
            log.warning("deadline_not_sent", appointment_id=deadline.appointment_id, error=type(error).__name__)
            self._read_again = min(self._read_again, self._clock.after(_RETRY))
            return
        SENT.labels(deadline.kind).inc()
        LATENESS.observe(max(0.0, (now - deadline.due) / timedelta(seconds=1)))


def _command(deadline: Deadline, now: datetime) -> Command:
    """Return the command of a deadline. Its id follows from what it is about, so no worker can make it count twice.

    The version is part of it: an appointment that moves and comes back to its old start is reminded of again.
    """
    kind = RemindPatient if deadline.kind == "reminder" else MarkNoShow
    return kind(
        id=ids.derived_id("deadline", deadline.kind, deadline.appointment_id, str(deadline.version)),
        doctor_id=deadline.doctor_id,
        by=HUB,
        at=now,
        appointment_id=deadline.appointment_id,
        start=deadline.start,
    )
