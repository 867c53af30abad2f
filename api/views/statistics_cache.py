"""A cache of the outcomes of doctors' appointments, by month, for the statistics.

To read the history of many years takes seconds. Between two requests only few months change, and only those are read
again. The doctor's events since the last request show which months changed. They are read from the database, so a
notice that the bus lost does no harm.
"""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.clock import Clock
from hub.records.ports import AppointmentRecords
from hub.scheduling.appointment import Appointment
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.recorded_event import RecordedEvent, of_appointments
from hub.scheduling.statistics import Outcome
from hub.scheduling.values import HORIZON

_CAPACITY = 300_000
"""Maximum number of cached outcomes of all doctors, about 200 bytes each."""
_OUTCOMES_PER_EVENT = 20
"""To read one event takes as long as to read this many outcomes. With more new events, all outcomes are read again."""
_ROUNDS = 10
"""Maximum number of reads for a doctor whose appointments change during each read. The answer is then a little old."""

_Span = tuple[datetime | None, datetime | None]
"""From the first instant, included, to the second, excluded; None is no bound."""


@dataclass
class _DoctorCache:
    """The outcomes of one doctor. Every span is as it was in the database at `seq`, or later."""

    seq: int = 0
    spans: dict[_Span, tuple[Outcome, ...]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def size(self) -> int:
        return sum(map(len, self.spans.values()))


class StatisticsCache:
    """Reads each outcome once, until its month changes."""

    def __init__(self, appointments: AppointmentRecords, clock: Clock, capacity: int = _CAPACITY) -> None:
        """Keep at most `capacity` outcomes, besides those of the last doctor."""
        self._appointments = appointments
        self._clock = clock
        self._capacity = capacity
        self._caches: dict[str, _DoctorCache] = {}

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> Collection[tuple[Outcome, ...]]:
        """Return the outcomes of the doctor's appointments, of each month that overlaps [start_from, start_to)."""
        cache = self._caches.pop(doctor_id, _DoctorCache())
        self._caches[doctor_id] = cache  # at the end: it is evicted last
        async with cache.lock:
            spans = [span for span in await self._spans(doctor_id) if _overlap(span, (start_from, start_to))]
            for _ in range(_ROUNDS):
                await self._catch_up(doctor_id, cache)
                if not (missing := [span for span in spans if span not in cache.spans]):
                    break
                for span in missing:
                    cache.spans[span] = tuple(await self._appointments.outcomes(doctor_id, *span))
            found = [cache.spans[span] for span in spans]
        self._evict()
        return found

    async def _spans(self, doctor_id: str) -> list[_Span]:
        """Return the months that can have appointments, and the empty spans before and after them.

        An appointment starts after its booking, and at most `HORIZON` later.
        """
        first = next(iter(await self._appointments.events_after(doctor_id, 0, 1)), None)
        begins = list(_months(first.event.at, self._clock() + HORIZON)) if first else []
        return list(zip([None, *begins], [*begins, None], strict=True))

    async def _catch_up(self, doctor_id: str, cache: _DoctorCache) -> None:
        """Drop the spans that have changed in the database."""
        seq = await self._appointments.last_seq(doctor_id, cache.seq)
        restored = seq < cache.seq  # an older backup was restored
        if restored or (seq - cache.seq) * _OUTCOMES_PER_EVENT > cache.size:
            cache.spans.clear()
            cache.seq = seq
        while cache.seq < seq:
            events = await self._appointments.events_after(doctor_id, cache.seq)
            changed = [start for each in of_appointments(events) for start in _starts(each)]
            for span in [span for span in cache.spans if any(_holds(span, start) for start in changed)]:
                del cache.spans[span]
            cache.seq = events[-1].event.seq

    def _evict(self) -> None:
        """Drop the doctors whose statistics were not requested for the longest time."""
        while len(self._caches) > 1 and sum(cache.size for cache in self._caches.values()) > self._capacity:
            del self._caches[next(iter(self._caches))]


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the first instant of each month in UTC, from the month of `first` to the month after `last`."""
    for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month + 1):
        yield datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _starts(recorded: RecordedEvent[Appointment]) -> Iterator[datetime]:
    yield recorded.aggregate.start
    if isinstance(recorded.event, AppointmentRescheduled):
        yield recorded.event.previous_start


def _holds(span: _Span, instant: datetime) -> bool:
    begin, end = span
    return (begin is None or begin <= instant) and (end is None or instant < end)


def _overlap(one: _Span, other: _Span) -> bool:
    def ends_before(end: datetime | None, begin: datetime | None) -> bool:
        return end is not None and begin is not None and end <= begin

    return not ends_before(one[1], other[0]) and not ends_before(other[1], one[0])
