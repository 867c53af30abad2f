"""The statistics of a doctor's appointments: how many there are, how they ended, and when they are."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Self

from hub.scheduling.offer_figures import OfferFigures, OfferOutcome, offer_figures
from hub.scheduling.outcomes import OutcomeCounts
from hub.scheduling.quantiles import quantile
from hub.scheduling.schedule import Schedule, ZoneName
from hub.scheduling.values import OFFERS, Id, Status, Value

LEAD_BOUNDS = (timedelta(hours=3), timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))
"""The bounds between the groups of lead times."""

_MINUTE = timedelta(minutes=1)
_WEEK = timedelta(weeks=1)


class Tally(Value):
    """The number of appointments by status. Offers that are open or were not taken are no appointments.

    `no_show_rate` is no-shows / (completed + no-shows), `cancellation_rate` is cancelled / total. A rate is None when
    its divisor is zero.
    """

    total: int
    scheduled: int
    confirmed: int
    cancelled: int
    completed: int
    no_show: int
    no_show_rate: float | None
    cancellation_rate: float | None

    @classmethod
    def of(cls, counted: Mapping[Status, int]) -> Self:
        """Return the tally of these counts. A status that is missing counts as zero."""
        numbers = {status: counted.get(status, 0) for status in Status if status not in OFFERS}
        total = sum(numbers.values())
        missed = numbers[Status.NO_SHOW]
        return cls(
            total=total,
            scheduled=numbers[Status.SCHEDULED],
            confirmed=numbers[Status.CONFIRMED],
            cancelled=numbers[Status.CANCELLED],
            completed=numbers[Status.COMPLETED],
            no_show=missed,
            no_show_rate=_part(missed, missed + numbers[Status.COMPLETED]),
            cancellation_rate=_part(numbers[Status.CANCELLED], total),
        )


class OfWeekday(Value):
    """The appointments on one weekday; 0 is Monday."""

    weekday: int
    tally: Tally


class OfHour(Value):
    """The appointments that start in one hour of the day, 0 to 23."""

    hour: int
    tally: Tally


class OfWeek(Value):
    """The appointments of one week, which begins on the Monday `monday`."""

    monday: date
    tally: Tally


class LeadTimes(Value):
    """How long before their start appointments were booked, in whole minutes; None without appointments.

    `groups` counts the appointments by the bounds of `LEAD_BOUNDS`. The last group has no bound and holds the rest.
    """

    median_minutes: int | None
    p90_minutes: int | None
    groups: tuple["LeadGroup", ...]


class LeadGroup(Value):
    """The number of appointments with a lead time below `under_minutes` that are not in the group before."""

    under_minutes: int | None
    count: int


class Waits(Value):
    """How long patients waited, in whole minutes; None without any. `count` is the number of these patients."""

    count: int
    median_minutes: int | None
    p90_minutes: int | None


class WaitsOfHour(Value):
    """The waits for the appointments that start in one hour of the day, 0 to 23."""

    hour: int
    waits: Waits


class WaitingTimes(Value):
    """How long patients waited from their arrival to the call into the room: of all, and by the hour of the start."""

    all: Waits
    by_hour: tuple[WaitsOfHour, ...]


class Statistics(Value):
    """The statistics of a doctor's appointments. Weekdays, hours and weeks are in the doctor's `zone`.

    All seven weekdays and 24 hours are listed, and every week from the first with an appointment to the last.
    """

    doctor_id: Id
    zone: ZoneName
    all: Tally
    by_weekday: tuple[OfWeekday, ...]
    by_hour: tuple[OfHour, ...]
    by_week: tuple[OfWeek, ...]
    lead_times: LeadTimes
    waiting_times: WaitingTimes
    offers: OfferFigures


def statistics(schedule: Schedule, counted: Iterable[OutcomeCounts], offers: Iterable[OfferOutcome]) -> Statistics:
    """Return the statistics of all appointments that are counted, and of these offers; all must be of this doctor."""
    counts = OutcomeCounts.joined(counted)
    return Statistics(
        doctor_id=schedule.id,
        zone=schedule.zone,
        all=_tally(map(sum, zip(*counts.weekdays, strict=True))),
        by_weekday=tuple(OfWeekday(weekday=each, tally=_tally(row)) for each, row in enumerate(counts.weekdays)),
        by_hour=tuple(OfHour(hour=each, tally=_tally(row)) for each, row in enumerate(counts.hours)),
        by_week=tuple(
            OfWeek(monday=monday, tally=_tally(counts.weeks.get(monday, ()))) for monday in _mondays(counts.weeks)
        ),
        lead_times=_lead_times(sorted(counts.leads)),
        waiting_times=WaitingTimes(
            all=_waits([each for of_hour in counts.waits for each in of_hour]),
            by_hour=tuple(WaitsOfHour(hour=hour, waits=_waits(of_hour)) for hour, of_hour in enumerate(counts.waits)),
        ),
        offers=offer_figures(offers),
    )


def _tally(row: Iterable[int]) -> Tally:
    return Tally.of(dict(zip(Status, row, strict=False)))


def _part(some: int, of: int) -> float | None:
    return round(some / of, 4) if of else None


def _mondays(weeks: Iterable[date]) -> list[date]:
    """Return every Monday from the first of these to the last."""
    if not (given := sorted(weeks)):
        return []
    return [given[0] + number * _WEEK for number in range((given[-1] - given[0]) // _WEEK + 1)]


def _lead_times(ordered: Sequence[int]) -> LeadTimes:
    bounds = [bound // _MINUTE for bound in LEAD_BOUNDS]
    below = [0, *(bisect_left(ordered, bound) for bound in bounds), len(ordered)]
    return LeadTimes(
        median_minutes=quantile(ordered, 50),
        p90_minutes=quantile(ordered, 90),
        groups=tuple(
            LeadGroup(under_minutes=bound, count=upper - lower)
            for bound, (lower, upper) in zip([*bounds, None], pairwise(below), strict=True)
        ),
    )


def _waits(minutes: Iterable[int]) -> Waits:
    ordered = sorted(minutes)
    return Waits(count=len(ordered), median_minutes=quantile(ordered, 50), p90_minutes=quantile(ordered, 90))
