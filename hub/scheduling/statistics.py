"""The statistics of a doctor's appointments: how many there are, how they ended, and when they are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from hub.scheduling.schedule import Schedule, ZoneName, zone
from hub.scheduling.values import Id, Status, Value

LEAD_BOUNDS = (timedelta(hours=3), timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))
"""The bounds between the groups of lead times."""

_MINUTE = timedelta(minutes=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that the statistics need of an appointment: its start, when it was booked, its status, and the wait.

    `waited` is the time from the patient's arrival to the call into the room; None without the two.
    """

    start: datetime
    created_at: datetime
    status: Status
    waited: timedelta | None


def wait(arrived_at: datetime | None, in_room_at: datetime | None) -> timedelta | None:
    """Return how long a patient waited; None if the patient did not arrive or was not called in."""
    return in_room_at - arrived_at if arrived_at and in_room_at else None


class Tally(Value):
    """The number of appointments by status.

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
        numbers = {status: counted.get(status, 0) for status in Status}
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


def statistics(schedule: Schedule, outcomes: Iterable[Outcome]) -> Statistics:
    """Return the statistics of these appointments, which must all be of this doctor."""
    here = zone(schedule.zone)
    slots: Counter[tuple[date, int, Status]] = Counter()
    leads: list[int] = []
    waits: dict[int, list[int]] = {hour: [] for hour in range(24)}
    for outcome in outcomes:
        local = outcome.start.astimezone(here)
        slots[local.date(), local.hour, outcome.status] += 1
        leads.append((outcome.start - outcome.created_at) // _MINUTE)
        if outcome.waited is not None:
            waits[local.hour].append(outcome.waited // _MINUTE)
    of_all: Counter[Status] = Counter()
    weekdays: dict[int, Counter[Status]] = {weekday: Counter() for weekday in range(7)}
    hours: dict[int, Counter[Status]] = {hour: Counter() for hour in range(24)}
    weeks: dict[date, Counter[Status]] = {monday: Counter() for monday in _mondays({day for day, _, _ in slots})}
    for (day, hour, status), count in slots.items():
        for counter in (of_all, weekdays[day.weekday()], hours[hour], weeks[_monday(day)]):
            counter[status] += count
    return Statistics(
        doctor_id=schedule.id,
        zone=schedule.zone,
        all=Tally.of(of_all),
        by_weekday=tuple(OfWeekday(weekday=weekday, tally=Tally.of(counted)) for weekday, counted in weekdays.items()),
        by_hour=tuple(OfHour(hour=hour, tally=Tally.of(counted)) for hour, counted in hours.items()),
        by_week=tuple(OfWeek(monday=monday, tally=Tally.of(counted)) for monday, counted in weeks.items()),
        lead_times=_lead_times(sorted(leads)),
        waiting_times=WaitingTimes(
            all=_waits([each for of_hour in waits.values() for each in of_hour]),
            by_hour=tuple(WaitsOfHour(hour=hour, waits=_waits(of_hour)) for hour, of_hour in waits.items()),
        ),
    )


def _part(some: int, of: int) -> float | None:
    return round(some / of, 4) if of else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _mondays(days: set[date]) -> list[date]:
    """Return the Monday of every week from that of the first day to that of the last."""
    if not days:
        return []
    first, last = _monday(min(days)), _monday(max(days))
    return [first + number * _WEEK for number in range((last - first) // _WEEK + 1)]


def _lead_times(ordered: Sequence[int]) -> LeadTimes:
    bounds = [bound // _MINUTE for bound in LEAD_BOUNDS]
    groups: Counter[int | None] = Counter()
    for lead in ordered:
        groups[next((bound for bound in bounds if lead < bound), None)] += 1
    return LeadTimes(
        median_minutes=_quantile(ordered, 50),
        p90_minutes=_quantile(ordered, 90),
        groups=tuple(LeadGroup(under_minutes=bound, count=groups[bound]) for bound in [*bounds, None]),
    )


def _waits(minutes: Iterable[int]) -> Waits:
    ordered = sorted(minutes)
    return Waits(count=len(ordered), median_minutes=_quantile(ordered, 50), p90_minutes=_quantile(ordered, 90))


def _quantile(ordered: Sequence[int], percent: int) -> int | None:
    """Return the percentile by nearest rank; None without values."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
