"""Puts the texts that events cause into the outbox. `agents.texts.sending` sends them from there.

Events that this worker's actor has just written are planned from memory. Other events are read from the record: the
outbox stores, for each doctor, the last planned `seq`, and later events are read when a worker takes over and at
regular intervals. So no text is lost by a crash between writing and planning, or if the broker loses its data. Planning
an event twice is harmless, because the id of a text is derived from its event and its recipient.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from hub.accounts.account import Account
from hub.clock import Clock
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.aggregate import Aggregate
from hub.scheduling.appointment import Appointment
from hub.scheduling.recorded_event import RecordedEvent, of_appointments
from hub.texting.planning import plan_texts
from hub.texting.wording import Clinic

log = structlog.get_logger(__name__)
PLANNED = Counter("clinic_texts_planned_total", "Texts that were put into the outbox.")

BATCH_WINDOW = 0.2
"""Seconds in which new events are collected, so that many bookings cost one write."""
CATCH_UP_INTERVAL = 30.0
"""Seconds between two checks for unplanned events in the record."""
_REST_FACTOR = 4
"""The planner rests this many times as long as it worked. Under load, bookings take precedence over their texts."""
_RETRY_DELAY = 1.0
"""Seconds before the next check after a failure."""
_DOCTORS_PER_CHECK = 10
"""Maximum doctors checked concurrently for unplanned events. The actors' reads queue behind these reads."""


@dataclass(frozen=True)
class PlanningLimits:
    """Limits of the planner.

    `batch_events`: events whose texts are written at once. Several seconds of events in one write kept the embedded
    engine busy for up to 4.9 s, and bookings waited for it.
    `max_queued`: events that wait in memory. If there are more, they are read from the record instead.
    `max_rest`: longest rest in seconds. Planning also takes long after a database outage, and then texts must not wait
    four times as long again.
    """

    batch_events: int = 500
    max_queued: int = 20_000
    max_rest: float = 2.0


class TextPlanner:
    """Plans the texts of the doctors that this worker owns."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        clinic: Clinic,
        limits: PlanningLimits | None = None,
        *,
        proven_only: bool = False,
    ) -> None:
        """With `proven_only`, texts are sent to phones only that their owners have proven."""
        self._records = records
        self._clock = clock
        self._clinic = clinic
        self._proven_only = proven_only
        self._limits = limits or PlanningLimits()
        self._owns: Callable[[str], bool] = lambda _: False
        self._generation = 0
        """Counts the takeovers: a running catch-up compares it to detect a change of the owned doctors."""
        self._positions: dict[str, int] = {}
        self._written: list[RecordedEvent[Aggregate]] = []
        self._has_new = asyncio.Event()
        self._catch_up_at = 0.0

    def take_over(self, owns: Callable[[str], bool]) -> None:
        """Plan the texts of these doctors from now on, beginning with those that the previous worker left unplanned."""
        self._owns = owns
        self._generation += 1
        # A new dict, not `clear`: a read that is in progress must not write old positions into it.
        self._positions = {}
        self._written.clear()
        self._catch_up_at = 0.0
        self._has_new.set()

    def take(self, recorded: RecordedEvent[Aggregate]) -> None:
        """Queue an event that has just been written. Events of one doctor must come in order of `seq`."""
        if len(self._written) >= self._limits.max_queued:
            self._written.clear()
            self._catch_up_at = 0.0
        self._written.append(recorded)
        self._has_new.set()

    async def run(self) -> None:
        """Plan texts until cancelled."""
        now = asyncio.get_running_loop().time
        while True:
            # The catch-up has its own deadline: it must also run while new events arrive all the time.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._catch_up_at):
                    await self._has_new.wait()
            self._has_new.clear()
            began = now()
            try:
                if began >= self._catch_up_at:
                    self._catch_up_at = began + CATCH_UP_INTERVAL
                    await self._catch_up()
                    began = now()  # a long catch-up must not lengthen the rest, which delays new texts
                await self._plan()
            except StoreUnavailable:
                log.warning("texts_not_planned", cause="the database does not answer")
                self._catch_up_at = now() + _RETRY_DELAY  # the record has all these events
            except BrokenRecord as error:
                log.warning("texts_not_planned", cause=str(error))
                self._catch_up_at = now() + _RETRY_DELAY  # the catch-up plans each doctor whose record is sound
            await asyncio.sleep(max(BATCH_WINDOW, self._rest(now() - began)))

    async def _plan(self) -> None:
        size = self._limits.batch_events
        written, self._written = self._written[:size], self._written[size:]
        if self._written:
            self._has_new.set()
        fits, ahead = self._in_order(written)
        await self._put(fits)
        for doctor_id in ahead:
            await self._catch_up_with(doctor_id)

    def _in_order(self, written: Sequence[RecordedEvent[Aggregate]]) -> tuple[list[RecordedEvent[Aggregate]], set[str]]:
        """Return the events that directly follow the planned ones, and the doctors with a gap before their events."""
        expected, fits, ahead = dict(self._positions), [], set()
        for recorded in written:
            doctor_id, event = recorded.doctor_id, recorded.event
            if event.seq <= expected.get(doctor_id, 0):
                continue
            if doctor_id in ahead or event.prev != expected.get(doctor_id):
                ahead.add(doctor_id)
                continue
            expected[doctor_id] = event.seq
            fits.append(recorded)
        return fits, {doctor_id for doctor_id in ahead if self._owns(doctor_id)}

    async def _catch_up(self) -> None:
        """Plan all unplanned events in the record of the owned doctors.

        Thousands of doctors take seconds. So after every few doctors the planner plans new events and rests, to give
        bookings and reminders precedence.
        """
        now, owns, generation = asyncio.get_running_loop().time, self._owns, self._generation
        owned = [doctor_id for doctor_id in await self._records.users.doctor_ids() if owns(doctor_id)]
        for first in range(0, len(owned), _DOCTORS_PER_CHECK):
            began = now()
            for doctor_id in await self._ahead(owned[first : first + _DOCTORS_PER_CHECK]):
                try:
                    await self._catch_up_with(doctor_id)
                except BrokenRecord as error:
                    log.warning("texts_not_planned", doctor_id=doctor_id, cause=str(error))
            await self._plan()
            await asyncio.sleep(self._rest(now() - began))
            if self._generation != generation:
                return  # the owned doctors have changed: the next catch-up starts from the beginning

    async def _ahead(self, doctor_ids: Collection[str]) -> list[str]:
        """Return the doctors with unplanned events in the record. Doctors with queued events are left out.

        `_plan` detects a gap before queued events. There is one read per doctor, concurrently: for one query with many
        pairs of doctor and `seq`, the embedded engine scans the collection.
        """
        waiting = {recorded.doctor_id for recorded in self._written}
        planned = await self._planned([doctor_id for doctor_id in doctor_ids if doctor_id not in waiting])
        last = await asyncio.gather(*(self._records.appointments.last_seq(each, planned[each]) for each in planned))
        return [doctor_id for doctor_id, seq in zip(planned, last, strict=True) if seq > planned[doctor_id]]

    async def _catch_up_with(self, doctor_id: str) -> None:
        planned = (await self._planned([doctor_id]))[doctor_id]
        while recorded := await self._records.appointments.events_after(doctor_id, planned, self._limits.batch_events):
            await self._put(recorded)
            planned = recorded[-1].event.seq

    async def _planned(self, doctor_ids: Collection[str]) -> Mapping[str, int]:
        """Return the planning position of each doctor."""
        positions = self._positions
        if unknown := [doctor_id for doctor_id in doctor_ids if doctor_id not in positions]:
            positions |= await self._records.text_positions.read(unknown)
        return {doctor_id: positions[doctor_id] for doctor_id in doctor_ids}

    async def _put(self, recorded: Sequence[RecordedEvent[Aggregate]]) -> None:
        """Write the texts of these events, and only then the new planning positions.

        Events of a doctor's schedule cause no text. They still advance the position.
        """
        if not recorded:
            return
        changes = of_appointments(recorded)
        people = await self._people(changes)
        now = self._clock()
        texts = [
            text
            for one in changes
            if (doctor := people.get(one.aggregate.doctor_id))
            and doctor.schedule
            and (patient := people.get(one.aggregate.patient_id))
            for text in plan_texts(
                self._clinic, doctor, doctor.schedule, patient, one, now, proven_only=self._proven_only
            )
        ]
        if texts:
            PLANNED.inc(await self._records.texts.add_all(texts))
        last = {one.doctor_id: one.event.seq for one in recorded}
        await self._records.text_positions.advance(last)
        self._positions |= last

    async def _people(self, recorded: Sequence[RecordedEvent[Appointment]]) -> Mapping[str, Account]:
        ids = {one.aggregate.doctor_id for one in recorded} | {one.aggregate.patient_id for one in recorded}
        return await self._records.users.by_ids(ids)

    def _rest(self, worked: float) -> float:
        """Return how many seconds to rest after `worked` seconds of work."""
        return min(_REST_FACTOR * worked, self._limits.max_rest)
