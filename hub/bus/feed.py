"""The feed of notices: in order and complete for the doctors that somebody follows.

A notice says its `seq` and the doctor's `prev`. Where `prev` is not the last one delivered, something is missing, and
the record knows it: the feed reads it there. Even a lost last notice shows, by comparing with the record now and then.
"""

import asyncio
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge

from hub.bus.messages import Notice
from hub.bus.ports import OnNotice
from hub.bus.replay import replayed
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

log = structlog.get_logger(__name__)
MENDED = Counter("clinic_feed_mended_total", "Notices that were missed on the bus and read from the record.")
COMPARED = Counter("clinic_feed_compared_total", "Comparisons of a followed doctor's position with the record.")
BEHIND = Counter("clinic_feed_behind_total", "Comparisons that found notices which had not come by themselves.")
FOLLOWED = Gauge("clinic_feed_followed_doctors", "Doctors whose notices this process must not miss.")

_COMPARE_AT_ONCE = 16


@dataclass(frozen=True)
class FeedIntervals:
    """The intervals of a feed, in seconds."""

    compare_every: float = 3.0
    """Between two comparisons with the record."""
    in_flight: float = 0.5
    """How long a notice may take from the record to this process before it counts as missing."""
    retry_after: float = 0.2
    """Between two reads of a record that does not hold the missing event yet, or does not answer."""


@dataclass
class _Line:
    """What is known of one followed doctor: all after `seq` is delivered in order; None until the record is read."""

    followers: int = 0
    seq: int | None = None
    early: dict[int, Notice] = field(default_factory=dict)
    mending: asyncio.Task[None] | None = None


class Feed:
    """Puts notices in order, drops what was delivered before, and fetches what is missing."""

    def __init__(self, records: Records, deliver: OnNotice, intervals: FeedIntervals | None = None) -> None:
        self._records = records
        self._intervals = intervals or FeedIntervals()
        self._deliver = deliver
        self._lines: dict[str, _Line] = {}
        self._last: dict[str, int] = {}
        """The last `seq` delivered of each doctor whom we have heard of, followed or not."""
        self._tasks: asyncio.TaskGroup | None = None
        FOLLOWED.set_function(lambda: len(self._lines))

    async def run(self) -> None:
        """Mend and compare, for ever. A failure of any of it is raised here."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._compare()

    async def follow(self, doctor_id: str) -> int:
        """Deliver every notice after the returned `seq`; see `hub.bus.ports.NoticeFeed`."""
        line = self._lines.setdefault(doctor_id, _Line())
        line.followers += 1
        try:
            if line.seq is None:
                # Notices that come while we read wait in `early`, so none falls between the read and the first one.
                seq = await self._records.appointments.last_seq(doctor_id, self._last.get(doctor_id, 0))
                if line.seq is None:  # another follower may have been quicker
                    # The record may be ahead of what those have been told who were here before: go on from there.
                    line.seq = self._last.get(doctor_id, seq)
                    self._advance(doctor_id, line)
        except BaseException:
            self.unfollow(doctor_id)
            raise
        return line.seq

    def unfollow(self, doctor_id: str) -> None:
        """Take back one `follow`."""
        line = self._lines[doctor_id]
        line.followers -= 1
        if not line.followers:
            del self._lines[doctor_id]
            if line.mending:
                line.mending.cancel()
            for seq in sorted(line.early):
                self._deliver_new(line.early[seq])

    def receive(self, notice: Notice) -> None:
        """Take a notice from the bus."""
        line = self._lines.get(notice.doctor_id)
        if line is None:
            self._deliver_new(notice)
        else:
            line.early[notice.event.seq] = notice
            self._advance(notice.doctor_id, line)

    async def _compare(self) -> None:
        """Compare with the record for ever, so that a notice that never came does not stay unseen."""
        while True:
            await asyncio.sleep(self._intervals.compare_every)
            try:
                await self._catch_up()
            except StoreUnavailable:
                log.warning("feed_not_compared", reason="the database does not answer")

    async def _catch_up(self) -> None:
        """Mend each followed doctor whose record has been ahead of us for longer than a notice takes."""
        followed = list(self._lines.items())
        ahead: list[tuple[str, _Line, int]] = []
        for begin in range(0, len(followed), _COMPARE_AT_ONCE):
            some = followed[begin : begin + _COMPARE_AT_ONCE]
            stand = await asyncio.gather(*(self._stands(doctor_id, line) for doctor_id, line in some))
            ahead += [(*each, last) for each, last in zip(some, stand, strict=True) if last > (each[1].seq or 0)]
        if ahead:
            await asyncio.sleep(self._intervals.in_flight)
        for doctor_id, line, last in ahead:
            if self._lines.get(doctor_id) is line and line.seq is not None and line.seq < last:
                BEHIND.inc()
                self._mend(doctor_id, line)

    async def _stands(self, doctor_id: str, line: _Line) -> int:
        """Return where the record stands; 0 for a doctor whose line is only just being begun."""
        if line.seq is None:
            return 0
        COMPARED.inc()
        return await self._records.appointments.last_seq(doctor_id, line.seq)

    def _advance(self, doctor_id: str, line: _Line) -> None:
        """Deliver what is in order; what is not waits for what is missing."""
        if line.seq is None or line.mending:
            return
        for seq in sorted(line.early):
            if seq <= line.seq:
                self._deliver_new(line.early.pop(seq))
            elif line.early[seq].event.prev == line.seq:
                self._deliver_next(line, line.early.pop(seq))
            else:
                self._mend(doctor_id, line)
                return

    def _deliver_next(self, line: _Line, notice: Notice) -> None:
        line.seq = notice.event.seq
        self._deliver_new(notice)

    def _deliver_new(self, notice: Notice) -> None:
        """Deliver what has not been delivered.

        Also what the record showed already when following began: who was connected before has not been told of it.
        """
        if notice.event.seq > self._last.get(notice.doctor_id, 0):
            self._last[notice.doctor_id] = notice.event.seq
            self._deliver(notice)

    def _mend(self, doctor_id: str, line: _Line) -> None:
        if self._tasks is None:
            raise RuntimeError("the feed is used before `run` runs")
        if line.mending is None:
            line.mending = self._tasks.create_task(self._mended(doctor_id, line))

    async def _mended(self, doctor_id: str, line: _Line) -> None:
        """Deliver from the record until what came early fits."""
        try:
            while True:
                missing = await self._missing(doctor_id, line.seq or 0)
                for notice in missing:
                    self._deliver_next(line, line.early.pop(notice.event.seq, notice))
                if missing:
                    MENDED.inc(len(missing))
                    log.info("feed_mended", doctor_id=doctor_id, notices=len(missing), seq=line.seq)
                if not any(early.event.prev > (line.seq or 0) for early in line.early.values()):
                    break
                await asyncio.sleep(self._intervals.retry_after)
        finally:
            line.mending = None
        self._advance(doctor_id, line)

    async def _missing(self, doctor_id: str, after: int) -> list[Notice]:
        """Return what the record knows after `after`; nothing while the database does not answer."""
        try:
            recorded = await self._records.appointments.events_after(doctor_id, after)
            return await replayed(self._records, doctor_id, recorded)
        except StoreUnavailable:
            return []
