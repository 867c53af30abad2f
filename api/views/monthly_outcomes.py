"""The outcomes of a doctor's appointments in memory, counted by month, for the statistics."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from api.http.encoded import Encoded, encoded
from hub.bus.messages import AppointmentNotice
from hub.scheduling.events import AppointmentRescheduled
from hub.scheduling.offer_figures import OfferOutcome, after
from hub.scheduling.outcomes import Outcome, OutcomeCounts, wait
from hub.scheduling.schedule import Schedule
from hub.scheduling.statistics import Statistics, statistics

_STATISTICS: TypeAdapter[Statistics] = TypeAdapter(Statistics)
_OUTCOME_SIZE: Final = 320
"""Bytes of an outcome: its id, its times, and its share of the counts. tracemalloc shows 301 for each of 10,000."""
_OFFER_SIZE: Final = 280
"""Bytes of an offer: its id, its times, and its place."""
_MOST_ANSWERS: Final = 16
"""Remembered answers of a doctor, one for each range."""

Span = tuple[datetime | None, datetime | None]
"""From the first instant, included, to the second, excluded; None is no bound."""


class MonthlyOutcomes:
    """Holds the outcomes of those months that were read, and moves them on. Only what has changed is counted again.

    `begins` are the first instants (UTC) of the months, in order. What starts before the first of them, or after the
    last, is like one more month. A month can be answered from once it is `confirm`ed.
    """

    def __init__(self, begins: Sequence[datetime]) -> None:
        self.size = 0
        """The estimated memory, in bytes."""
        self.reading = asyncio.Lock()
        """Held by the one who reads months."""
        self._begins = begins
        self._months: dict[int, dict[str, Outcome]] = {}
        self._ready: set[int] = set()
        self._early: list[AppointmentNotice] = []
        """The notices that arrived while months are read: what was read may be older."""
        self._counts: dict[int, OutcomeCounts] = {}
        self._zone = ""
        """The zone of the counts."""
        self._answers: dict[Span, Encoded] = {}
        self._offers: dict[str, OfferOutcome] | None = None
        """All offers of the doctor, by appointment; None until they were read."""

    @property
    def lacks_offers(self) -> bool:
        """Whether the offers have to be read first."""
        return self._offers is None

    def missing(self, wanted: Span) -> list[int]:
        """Return the months of a range that have to be read first."""
        return [month for month in self._overlapping(wanted) if month not in self._ready]

    def span(self, month: int) -> Span:
        """Return the range of a month."""
        begin = self._begins[month - 1] if month else None
        return begin, self._begins[month] if month < len(self._begins) else None

    def fill(
        self, found: Mapping[int, Mapping[str, Outcome]], offers: Mapping[str, OfferOutcome] | None = None
    ) -> None:
        """Take what was read of some months, by appointment id, and then the notices that arrived meanwhile.

        `offers`: all of the doctor; None if they are known.
        """
        if offers is not None:
            self._offers = dict(offers)
            self.size += len(offers) * _OFFER_SIZE
        for month, outcomes in found.items():
            self._months[month] = dict(outcomes)
            self.size += len(outcomes) * _OUTCOME_SIZE
        for notice in self._early:
            self._apply(notice)

    def confirm(self, months: Collection[int]) -> None:
        """Answer from these months from now on: every event that is in what was read has been applied."""
        self._ready.update(months)

    def end_reading(self) -> None:
        """Drop what was read and not confirmed."""
        if not self._ready and self._offers is not None:
            self.size -= len(self._offers) * _OFFER_SIZE
            self._offers = None
        self._early.clear()
        for month in self._months.keys() - self._ready:
            self.size -= len(self._months.pop(month)) * _OUTCOME_SIZE
            self._counts.pop(month, None)

    def apply(self, notice: AppointmentNotice) -> None:
        """Take the appointment as it is after the event of the notice."""
        if self.reading.locked():
            self._early.append(notice)
        self._apply(notice)

    async def count(self, months: Collection[int], zone_name: str) -> None:
        """Count months. Other tasks run between two months: a history of many years takes some 0.1 s."""
        for month in months:
            self._counted(month, zone_name)
            await asyncio.sleep(0)

    def statistics(self, schedule: Schedule, wanted: Span) -> Encoded:
        """Return the statistics of the appointments that start in a range without missing months, as JSON."""
        answer = self._answers.get(wanted)
        if answer is None or schedule.zone != self._zone:
            if len(self._answers) >= _MOST_ANSWERS:
                self._forget_answers()
            offers = (each for each in (self._offers or {}).values() if _is_within(each.start, wanted))
            figures = statistics(schedule, self._within(schedule.zone, wanted), offers)
            answer = encoded(_STATISTICS.dump_json(figures, by_alias=True))
            self._answers[wanted] = answer
            self.size += len(answer.content)
        return answer

    def _overlapping(self, wanted: Span) -> range:
        first = 0 if wanted[0] is None else bisect_right(self._begins, wanted[0])
        last = len(self._begins) if wanted[1] is None else bisect_left(self._begins, wanted[1])
        return range(first, last + 1)

    def _within(self, zone_name: str, wanted: Span) -> Iterator[OutcomeCounts]:
        """Yield counts of the range: of whole months, and of the parts of those in which it begins and ends."""
        months = self._overlapping(wanted)
        for month in months:
            if (wanted[0] is not None and month == months[0]) or (wanted[1] is not None and month == months[-1]):
                part = (each for each in self._months[month].values() if _is_within(each.start, wanted))
                yield OutcomeCounts.of(zone_name, part)
            else:
                yield self._counted(month, zone_name)

    def _counted(self, month: int, zone_name: str) -> OutcomeCounts:
        if zone_name != self._zone:
            self._zone = zone_name
            self._counts.clear()
            self._forget_answers()
        if month not in self._counts:
            self._counts[month] = OutcomeCounts.of(zone_name, self._months[month].values())
        return self._counts[month]

    def _apply(self, notice: AppointmentNotice) -> None:
        seen = notice.appointment
        if isinstance(notice.event, AppointmentRescheduled):
            self._remove(seen.id, notice.event.previous_start)
        self._put(seen.id, Outcome(seen.start, seen.created_at, seen.status, wait(seen.arrived_at, seen.in_room_at)))
        self._apply_to_offer(notice)
        self._forget_answers()

    def _apply_to_offer(self, notice: AppointmentNotice) -> None:
        if self._offers is None:
            return
        before = self._offers.get(notice.appointment.id)
        offer = after(before, notice.event)
        if offer is not None:
            self.size += 0 if before else _OFFER_SIZE
            self._offers[notice.appointment.id] = offer

    def _put(self, appointment_id: str, outcome: Outcome) -> None:
        month = bisect_right(self._begins, outcome.start)
        outcomes = self._months.get(month)
        if outcomes is not None:
            self.size += 0 if appointment_id in outcomes else _OUTCOME_SIZE
            outcomes[appointment_id] = outcome
            self._counts.pop(month, None)

    def _remove(self, appointment_id: str, start: datetime) -> None:
        month = bisect_right(self._begins, start)
        if self._months.get(month, {}).pop(appointment_id, None) is not None:
            self.size -= _OUTCOME_SIZE
            self._counts.pop(month, None)

    def _forget_answers(self) -> None:
        self.size -= sum(len(answer.content) for answer in self._answers.values())
        self._answers.clear()


def _is_within(start: datetime, wanted: Span) -> bool:
    begin, end = wanted
    return (begin is None or begin <= start) and (end is None or start < end)
