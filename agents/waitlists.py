"""Sees to it that the waitlists are tended: sends `tend_waitlist` to the actor of each doctor whose line may move.

It decides nothing. What has to be done follows from the record alone: who waits, which slots are free, what was
offered. So nothing is lost by a crash: a worker that takes over a doctor sends the command anew, and repeats it now and
then for what only time brings, such as the hour from which patients are sent texts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge

from agents.actor.actors import Recorded, Tended
from hub import ids
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import Command
from hub.scheduling.events import AnyEvent
from hub.scheduling.recorded_event import RecordedEvent
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_commands import TendWaitlist
from hub.scheduling.waitlist_entry import WaitlistEntry

_CHANGES_NOTHING = frozenset(
    {"booked", "offered", "confirmed", "reminded", "reminder_missed", "checked_in", "called_in", "visit_undone"}
)
"""Events that free no slot and no patient. After an offer, the actor says that there may be more to do."""

log = structlog.get_logger(__name__)
AWAITED = Gauge("clinic_waitlist_doctors", "Doctors of this worker for whom patients wait.")
TENDED = Counter("clinic_waitlist_tended_total", "Commands to tend a waitlist that were sent.")

HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")

Send = Callable[[Command], Awaitable[None]]
"""Sends a command to its doctor's actor. Raises OSError or KafkaError if the broker cannot be reached."""


@dataclass(frozen=True)
class TendIntervals:
    """The intervals, in real seconds."""

    compare: float = 2.5
    """Between two comparisons with the record: the command line changes a doctor without the actor."""
    everything: float = 30.0
    """Between two commands for a doctor of whom nothing was heard."""
    answer: float = 5.0
    """How long a command may be on its way before another one is sent."""
    retry: float = 1.0
    """After a failed read or a failed command."""


@dataclass
class _Doctor:
    """An awaited doctor: `seq` is the event as of which there was nothing to do, `sent_at` when a command was sent.

    `due`: a command has to be sent.
    """

    seq: int = 0
    sent_at: float | None = None
    due: bool = True


class Waitlists:
    """The waitlists of the doctors that this worker owns."""

    def __init__(self, records: Records, clock: Clock, send: Send, intervals: TendIntervals | None = None) -> None:
        self._records = records
        self._clock = clock
        self._send = send
        self._intervals = intervals or TendIntervals()
        self._owns: Callable[[str], bool] = lambda _: False
        self._doctors: dict[str, _Doctor] = {}
        self._freed: set[str] = set()
        """Patients whose time or whose offer has changed: they may fit elsewhere now."""
        self._read_at = 0.0
        self._compare_at = 0.0
        self._changed = asyncio.Event()
        AWAITED.set_function(lambda: len(self._doctors))

    def take_over(self, owns: Callable[[str], bool]) -> None:
        """Tend the waitlists of these doctors from now on, and of no others."""
        self._owns = owns
        self._doctors = {}
        self._read_at = 0.0
        self._changed.set()

    def saved(self, recorded: Recorded) -> None:
        """Take the events of a command that has just been written."""
        for each in recorded:
            doctor_id, aggregate = each.doctor_id, each.aggregate
            if isinstance(aggregate, WaitlistEntry) and aggregate.waiting:
                self._doctors.setdefault(doctor_id, _Doctor())
            if each.event.type in _CHANGES_NOTHING:
                self._move_on(doctor_id, each.event)
            else:
                self._wake(doctor_id)
                self._freed |= _may_fit_elsewhere(each)

    def tended(self, tended: Tended) -> None:
        """Take what became of a command."""
        doctor = self._doctors.get(tended.doctor_id)
        if doctor is None:
            return
        doctor.sent_at = None
        if tended.again:
            self._wake(tended.doctor_id)
        elif tended.waiting:
            doctor.seq = max(doctor.seq, tended.seq)
        else:
            del self._doctors[tended.doctor_id]

    async def run(self) -> None:
        """Send the commands until cancelled."""
        while True:
            self._changed.clear()
            try:
                await self._look()
            except StoreUnavailable:
                log.warning("waitlists_not_read", cause="the database does not answer")
                await asyncio.sleep(self._intervals.retry)
            except (OSError, KafkaError) as error:
                log.warning("waitlist_not_tended", error=type(error).__name__)
                await asyncio.sleep(self._intervals.retry)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._intervals.compare / 2):
                    await self._changed.wait()

    async def _look(self) -> None:
        """Read what has to be read, and send what is due."""
        now = monotonic()
        if now >= self._read_at:
            await self._read(now)
        elif now >= self._compare_at:
            await self._compare(now)
        await self._wake_elsewhere()
        await self._send_due()

    async def _read(self, now: float) -> None:
        """Read for whom patients wait, and let each of those waitlists be tended."""
        owns = self._owns
        awaited = await self._records.waitlist.awaited_doctors()
        if self._owns is not owns:
            return  # a rebalance during the read: `take_over` has asked for another one
        self._read_at, self._compare_at = now + self._intervals.everything, now + self._intervals.compare
        for doctor_id in filter(owns, awaited):
            self._doctors.setdefault(doctor_id, _Doctor()).due = True

    async def _compare(self, now: float) -> None:
        """Find the doctors to whom something has happened that this worker was not told of."""
        self._compare_at = now + self._intervals.compare
        doctors = dict(self._doctors)
        read = self._records.appointments.last_seq
        last = await asyncio.gather(*(read(id_, doctor.seq) for id_, doctor in doctors.items()))
        for doctor, seq in zip(doctors.values(), last, strict=True):
            doctor.due = doctor.due or seq > doctor.seq

    async def _wake_elsewhere(self) -> None:
        """Let the waitlists be tended of all doctors for whom freed patients wait, whoever owns those doctors."""
        freed, self._freed = self._freed, set()
        if not freed:
            return
        try:
            for doctor_id in await self._records.waitlist.awaited_doctors(freed):
                if self._owns(doctor_id):
                    self._doctors.setdefault(doctor_id, _Doctor()).due = True
                else:
                    await self._tend(doctor_id)
        except BaseException:
            self._freed |= freed
            raise

    async def _send_due(self) -> None:
        now = monotonic()
        for doctor_id, doctor in list(self._doctors.items()):
            on_its_way = doctor.sent_at is not None and now - doctor.sent_at < self._intervals.answer
            if doctor.due and not on_its_way:
                doctor.due, doctor.sent_at = False, now
                try:
                    await self._tend(doctor_id)
                except BaseException:
                    doctor.due, doctor.sent_at = True, None
                    raise

    async def _tend(self, doctor_id: str) -> None:
        await self._send(TendWaitlist(id=ids.new_id(), doctor_id=doctor_id, by=HUB, at=self._clock()))
        TENDED.inc()

    def _move_on(self, doctor_id: str, event: AnyEvent) -> None:
        """Know that there is still nothing to do after the event."""
        doctor = self._doctors.get(doctor_id)
        if doctor is not None and doctor.seq == event.prev:
            doctor.seq = event.seq

    def _wake(self, doctor_id: str) -> None:
        if (doctor := self._doctors.get(doctor_id)) is not None:
            doctor.due = True
        self._changed.set()


def _may_fit_elsewhere(recorded: RecordedEvent[Aggregate]) -> set[str]:
    """Return the patients whom this event may have made free for an offer of another doctor."""
    event, aggregate = recorded.event, recorded.aggregate
    if not isinstance(aggregate, Appointment):
        return set()
    previous = getattr(event, "previous_patient_id", None)
    return {aggregate.patient_id, *([previous] if previous else [])}
