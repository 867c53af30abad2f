"""The statistics of a doctor from the doctor's view. Outcomes are read when somebody first asks for their month."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from api.http.encoded import Encoded
from api.views.doctor_view import BEGINNING, DoctorView
from api.views.monthly_outcomes import MonthlyOutcomes, Span
from api.views.view_reader import ViewReader
from api.views.view_store import Reading, ViewStore
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.offer_figures import OfferOutcome, outcome_of
from hub.scheduling.values import HORIZON

_ROUNDS = 5
"""Maximum number of reads for a doctor whose view is dropped during each read."""


class DoctorStatistics:
    """Answers from the views; the view of a doctor who has asked for statistics also holds outcomes."""

    def __init__(self, views: ViewStore, records: Records, clock: Clock) -> None:
        self._views = views
        self._appointments = records.appointments
        self._waitlist = records.waitlist
        self._reader = ViewReader(records, clock)
        self._clock = clock

    async def of(self, doctor_id: str, at_least: int, wanted: Span) -> tuple[Encoded, Reading] | None:
        """Return the statistics of the appointments that start in a range, and the view that they are of.

        They are after the event `at_least` or later. None: there is no such doctor. Raises `StoreUnavailable` when the
        record has to be read and does not answer.
        """
        for _ in range(_ROUNDS):
            reading = await self._views.doctor(doctor_id, at_least)
            if reading is None:
                return None
            view = reading.view
            if view.outcomes is not None and not view.outcomes.missing(wanted):
                return view.outcomes.statistics(view.schedule, wanted), reading
            outcomes = view.outcomes or view.begin_outcomes(await self._begins(doctor_id))
            async with outcomes.reading:
                await self._read(view, outcomes, outcomes.missing(wanted))
        raise StoreUnavailable("the view was dropped again during each read of its outcomes")

    async def _read(self, view: DoctorView, outcomes: MonthlyOutcomes, missing: Sequence[int]) -> None:
        """Read months; none if another one who asked has read them meanwhile."""
        found = {}
        doctor_id = view.schedule.id
        try:
            offers = await self._offers(doctor_id) if missing and outcomes.lacks_offers else None
            for month in missing:  # one by one: the embedded engine blocks other calls during a read
                found[month] = await self._appointments.outcomes(doctor_id, *outcomes.span(month))
            outcomes.fill(found, offers)
            if found:
                # What moved during these reads may be missing, or here twice.
                await self._reader.catch_up(view)
            await outcomes.count(missing, view.schedule.zone)
            outcomes.confirm(missing)
        finally:
            outcomes.end_reading()

    async def _offers(self, doctor_id: str) -> dict[str, OfferOutcome]:
        """Return all offers of a doctor, by appointment."""
        offered = await self._waitlist.offers(doctor_id, BEGINNING)
        return {each.id: offer for each in offered if (offer := outcome_of(each))}

    async def _begins(self, doctor_id: str) -> list[datetime]:
        """Return the first instants of the months that can have appointments: from the first booking to the horizon."""
        first = next(iter(await self._appointments.events_after(doctor_id, 0, 1)), None)
        return list(_months(first.event.at, self._clock() + HORIZON)) if first else []


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the first instant of each month in UTC, from the month of `first` to the month after `last`."""
    for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month + 1):
        yield datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
