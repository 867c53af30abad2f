"""The feed of notices: complete and in order for the followed doctors.

Each notice has its `seq` and the doctor's `prev`. If `prev` is not the last delivered `seq`, notices are missing, and
the feed reads their events from the record. A lost last notice is found by regular comparisons with the record.
"""

import asyncio
from dataclasses import dataclass, field
from time import monotonic

import structlog
from prometheus_client import Counter, Gauge

from hub.bus.messages import Notice
from hub.bus.ports import FeedState, OnNotice
from hub.bus.replay import replayed
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

log = structlog.get_logger(__name__)
MENDED = Counter("clinic_feed_mended_total", "Notices that were missed on the bus and read from the record.")
COMPARED = Counter("clinic_feed_compared_total", "Comparisons of a followed doctor's position with the record.")
BEHIND = Counter("clinic_feed_behind_total", "Comparisons that found events whose notices had not arrived.")
FOLLOWED = Gauge("clinic_feed_followed_doctors", "Doctors whose notices this process must not miss.")

_COMPARE_AT_ONCE = 4
"""Doctors compared concurrently."""


@dataclass(frozen=True)
class FeedIntervals:
    """The intervals of a feed, in seconds."""

    compare_every: float = 3.0
    """Between two comparisons with the record."""
    compare_within: float = 0.5
    """Over which one comparison of many doctors is spread, so that commands hardly wait for the database."""
    in_flight: float = 0.5
    """How long a notice may take from the record to this process before it counts as missing."""
    retry_after: float = 0.2
    """Between two reads of a record that does not hold the missing event yet, or does not answer."""


@dataclass
class _Doctor:
    """One followed doctor. The notices up to `seq` are delivered; it is None until the record is read.

    `early` holds notices that wait for missing ones, by `seq`. `mending` is the task that reads those from the record.
    """

    followers: int = 0
    seq: int | None = None
    early: dict[int, Notice] = field(default_factory=dict)
    mending: asyncio.Task[None] | None = None


class Feed:
    """Delivers notices in order and once each, and reads missing ones from the record."""

    def __init__(self, records: Records, deliver: OnNotice, intervals: FeedIntervals | None = None) -> None:
        self._records = records
        self._intervals = intervals or FeedIntervals()
        self._deliver = deliver
        self._followed: dict[str, _Doctor] = {}
        self._last: dict[str, int] = {}
        """The last delivered `seq` of each doctor with a notice so far, followed or not."""
        self._tasks: asyncio.TaskGroup | None = None
        self.state = FeedState()
        FOLLOWED.set_function(lambda: len(self._followed))

    async def run(self) -> None:
        """Read missing notices and compare with the record until cancelled. Raises any failure of these tasks."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._compare()

    async def follow(self, doctor_id: str) -> int:
        """Deliver every notice after the returned `seq`; see `hub.bus.ports.NoticeFeed`."""
        doctor = self._followed.setdefault(doctor_id, _Doctor())
        doctor.followers += 1
        try:
            if doctor.seq is None:
                # Notices that arrive during the read wait in `early`, so none is lost between the read and the first.
                seq = await self._records.appointments.last_seq(doctor_id, self._last.get(doctor_id, 0))
                if doctor.seq is None:  # a concurrent `follow` may have set it
                    # The record may be ahead of the last delivered notice: earlier followers continue from there.
                    doctor.seq = self._last.get(doctor_id, seq)
                    self._advance(doctor_id, doctor)
        except BaseException:
            self.unfollow(doctor_id)
            raise
        return doctor.seq

    def unfollow(self, doctor_id: str) -> None:
        """Take back one `follow`."""
        doctor = self._followed[doctor_id]
        doctor.followers -= 1
        if not doctor.followers:
            del self._followed[doctor_id]
            if doctor.mending:
                doctor.mending.cancel()
            for seq in sorted(doctor.early):
                self._deliver_new(doctor.early[seq])

    def receive(self, notice: Notice) -> None:
        """Take a notice from the bus."""
        doctor = self._followed.get(notice.doctor_id)
        if doctor is None:
            self._deliver_new(notice)
        else:
            doctor.early[notice.event.seq] = notice
            self._advance(notice.doctor_id, doctor)

    def told(self, notice: Notice) -> None:
        """Take a notice from the reply to a command. It may overtake earlier notices, so a gap before it is no loss.

        Without followers it is left to the bus: delivered here, it would hide the earlier ones.
        """
        doctor = self._followed.get(notice.doctor_id)
        if doctor is not None:
            doctor.early[notice.event.seq] = notice
            self._deliver_ready(doctor)

    async def _compare(self) -> None:
        """Compare with the record until cancelled, so that a notice that never arrives is found."""
        while True:
            await asyncio.sleep(self._intervals.compare_every)
            began = monotonic()
            try:
                await self._catch_up()
                self.state.compared_at = began
            except StoreUnavailable:
                log.warning("feed_not_compared", cause="the database does not answer")

    async def _catch_up(self) -> None:
        """Mend each followed doctor whose record has been ahead for longer than a notice takes to arrive."""
        followed = list(self._followed.items())
        ahead: list[tuple[str, _Doctor, int]] = []
        for begin in range(0, len(followed), _COMPARE_AT_ONCE):
            some = followed[begin : begin + _COMPARE_AT_ONCE]
            if begin:
                await asyncio.sleep(self._intervals.compare_within * len(some) / len(followed))
            last_seqs = await asyncio.gather(*(self._last_seq(doctor_id, doctor) for doctor_id, doctor in some))
            ahead += [(*each, last) for each, last in zip(some, last_seqs, strict=True) if last > (each[1].seq or 0)]
        if ahead:
            await asyncio.sleep(self._intervals.in_flight)
        for doctor_id, doctor, last in ahead:
            if self._followed.get(doctor_id) is doctor and doctor.seq is not None and doctor.seq < last:
                BEHIND.inc()
                self._mend(doctor_id, doctor)

    async def _last_seq(self, doctor_id: str, doctor: _Doctor) -> int:
        """Return the last `seq` in the record; 0 for a doctor whose first read is still going on."""
        if doctor.seq is None:
            return 0
        COMPARED.inc()
        return await self._records.appointments.last_seq(doctor_id, doctor.seq)

    def _advance(self, doctor_id: str, doctor: _Doctor) -> None:
        """Deliver the early notices that are next in order, and mend if one is missing before the others."""
        if not self._deliver_ready(doctor):
            self._mend(doctor_id, doctor)

    def _deliver_ready(self, doctor: _Doctor) -> bool:
        """Deliver the early notices that are next in order; return False if one is missing before the others."""
        if doctor.seq is None or doctor.mending:
            return True
        for seq in sorted(doctor.early):
            if seq <= doctor.seq:
                self._deliver_new(doctor.early.pop(seq))
            elif doctor.early[seq].event.prev == doctor.seq:
                self._deliver_next(doctor, doctor.early.pop(seq))
            else:
                return False
        return True

    def _deliver_next(self, doctor: _Doctor, notice: Notice) -> None:
        doctor.seq = notice.event.seq
        self._deliver_new(notice)

    def _deliver_new(self, notice: Notice) -> None:
        """Deliver the notice unless it has been delivered.

        Also deliver an event that the record held already when following began: clients that were connected before have
        not been told of it.
        """
        if notice.event.seq > self._last.get(notice.doctor_id, 0):
            self._last[notice.doctor_id] = notice.event.seq
            self._deliver(notice)

    def _mend(self, doctor_id: str, doctor: _Doctor) -> None:
        if self._tasks is None:
            raise RuntimeError("the feed is used before `run` runs")
        if doctor.mending is None:
            doctor.mending = self._tasks.create_task(self._read_missing(doctor_id, doctor))

    async def _read_missing(self, doctor_id: str, doctor: _Doctor) -> None:
        """Deliver notices from the record until the early ones follow without a gap."""
        try:
            while True:
                missing = await self._missing(doctor_id, doctor.seq or 0)
                for notice in missing:
                    self._deliver_next(doctor, doctor.early.pop(notice.event.seq, notice))
                if missing:
                    MENDED.inc(len(missing))
                    log.info("feed_mended", doctor_id=doctor_id, notices=len(missing), seq=doctor.seq)
                if not any(early.event.prev > (doctor.seq or 0) for early in doctor.early.values()):
                    break
                await asyncio.sleep(self._intervals.retry_after)
        finally:
            doctor.mending = None
        self._advance(doctor_id, doctor)

    async def _missing(self, doctor_id: str, after: int) -> list[Notice]:
        """Return the notices after `after` from the record; none while the database does not answer."""
        try:
            recorded = await self._records.appointments.events_after(doctor_id, after)
            return await replayed(self._records, doctor_id, recorded)
        except StoreUnavailable:
            return []
