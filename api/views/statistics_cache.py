"""What became of the appointments of the doctors whom somebody asked about, by month, kept for the next question.

To read the history of many years takes seconds, in many short reads, so that others have their turns. Few months of it
change between two questions, and only those are read again. Which they are is told by the doctor's events since, read
from the record like all the rest: it does not matter who wrote them, nor what the bus has lost.
"""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hub.clock import Clock
from hub.records.ports import AppointmentRecords
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.recorded_event import Happened
from hub.scheduling.statistics import Outcome
from hub.scheduling.values import HORIZON

_KEPT = 300_000
"""Outcomes of all doctors in memory, some 200 bytes each."""
_AS_DEAR_AS_AN_EVENT = 20
"""So many outcomes are read in the time that one event takes: of a doctor with more news than that, all is read."""
_ROUNDS = 10
"""Of a doctor whose calendar changes faster than it is read, the answer is of the last moment but a few."""

_Span = tuple[datetime | None, datetime | None]
"""From the one instant to before the other; None is no bound."""


@dataclass
class _Ledger:
    """One doctor. Every span is as the record has been at `seq`, or later."""

    seq: int = 0
    spans: dict[_Span, tuple[Outcome, ...]] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def size(self) -> int:
        return sum(map(len, self.spans.values()))


class StatisticsCache:
    """Reads outcomes, each once as long as nothing happens to it."""

    def __init__(self, appointments: AppointmentRecords, clock: Clock, kept: int = _KEPT) -> None:
        """Keep `kept` outcomes at most, besides those of the doctor who was asked about last."""
        self._appointments = appointments
        self._clock = clock
        self._kept = kept
        self._ledgers: dict[str, _Ledger] = {}

    async def outcomes(
        self, doctor_id: str, start_from: datetime | None, start_to: datetime | None
    ) -> Collection[tuple[Outcome, ...]]:
        """Return what became of the doctor's appointments in whole months that hold [start_from, start_to)."""
        ledger = self._ledgers.pop(doctor_id, _Ledger())
        self._ledgers[doctor_id] = ledger  # at the end: the last to go
        async with ledger.turn:
            spans = [span for span in await self._spans(doctor_id) if _overlap(span, (start_from, start_to))]
            for _ in range(_ROUNDS):
                await self._catch_up(doctor_id, ledger)
                if not (missing := [span for span in spans if span not in ledger.spans]):
                    break
                for span in missing:
                    ledger.spans[span] = tuple(await self._appointments.outcomes(doctor_id, *span))
            found = [ledger.spans[span] for span in spans]
        self._forget()
        return found

    async def _spans(self, doctor_id: str) -> list[_Span]:
        """Return the months in which there can be appointments, and what lies before and after, where there are none.

        One books for the future, and not further ahead than the horizon.
        """
        first = next(iter(await self._appointments.happened(doctor_id, 0, 1)), None)
        begins = list(_months(first.event.at, self._clock() + HORIZON)) if first else []
        return list(zip([None, *begins], [*begins, None], strict=True))

    async def _catch_up(self, doctor_id: str, ledger: _Ledger) -> None:
        """Forget what is not any more as it is kept."""
        seq = await self._appointments.last_seq(doctor_id, ledger.seq)
        turned_back = seq < ledger.seq  # an older backup was put back
        if turned_back or (seq - ledger.seq) * _AS_DEAR_AS_AN_EVENT > ledger.size:
            ledger.spans.clear()
            ledger.seq = seq
        while ledger.seq < seq:
            news = await self._appointments.happened(doctor_id, ledger.seq)
            touched = [start for past in news if isinstance(past, Happened) for start in _starts(past)]
            for span in [span for span in ledger.spans if any(_holds(span, start) for start in touched)]:
                del ledger.spans[span]
            ledger.seq = news[-1].event.seq

    def _forget(self) -> None:
        """Let go of those who were not asked about for the longest time."""
        while len(self._ledgers) > 1 and sum(ledger.size for ledger in self._ledgers.values()) > self._kept:
            del self._ledgers[next(iter(self._ledgers))]


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the beginning of each month, by UTC, from that of `first` to the one after that of `last`."""
    for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month + 1):
        yield datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _starts(past: Happened) -> Iterator[datetime]:
    yield past.appointment.start
    if isinstance(past.event, AppointmentRescheduled):
        yield past.event.previous_start


def _holds(span: _Span, instant: datetime) -> bool:
    begin, end = span
    return (begin is None or begin <= instant) and (end is None or instant < end)


def _overlap(one: _Span, other: _Span) -> bool:
    def ends_before(end: datetime | None, begin: datetime | None) -> bool:
        return end is not None and begin is not None and end <= begin

    return not ends_before(one[1], other[0]) and not ends_before(other[1], one[0])
