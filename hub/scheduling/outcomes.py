"""What became of appointments, and counts of it by the doctor's clock that can be joined."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Self

from hub.scheduling.schedule import zone
from hub.scheduling.values import OFFERS, Status

_MINUTE = timedelta(minutes=1)
_COLUMN = {status: number for number, status in enumerate(Status)}

Row = list[int]
"""The number of appointments of each status, in the order of `Status`."""


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


def _row() -> Row:
    return [0] * len(Status)


@dataclass(slots=True)
class OutcomeCounts:
    """Counts of outcomes by the doctor's clock: by weekday (Monday first), hour of the day, and Monday of the week.

    `leads` are the times from the booking to the start, `waits` those from the arrival to the call into the room by
    hour of the start; both in whole minutes, unordered.
    """

    weekdays: list[Row] = field(default_factory=lambda: [_row() for _ in range(7)])
    hours: list[Row] = field(default_factory=lambda: [_row() for _ in range(24)])
    weeks: dict[date, Row] = field(default_factory=dict)
    leads: list[int] = field(default_factory=list)
    waits: list[list[int]] = field(default_factory=lambda: [[] for _ in range(24)])

    @classmethod
    def of(cls, zone_name: str, outcomes: Iterable[Outcome]) -> Self:
        """Count outcomes by the clock of this zone."""
        here = zone(zone_name)
        counts = cls()
        for outcome in outcomes:
            if outcome.status in OFFERS:
                continue
            local = outcome.start.astimezone(here)
            day, hour, column = local.date(), local.hour, _COLUMN[outcome.status]
            weekday = day.weekday()
            counts.weekdays[weekday][column] += 1
            counts.hours[hour][column] += 1
            counts.weeks.setdefault(day - timedelta(days=weekday), _row())[column] += 1
            counts.leads.append((outcome.start - outcome.created_at) // _MINUTE)
            if outcome.waited is not None:
                counts.waits[hour].append(outcome.waited // _MINUTE)
        return counts

    @classmethod
    def joined(cls, several: Iterable[Self]) -> Self:
        """Return the counts of all outcomes that are in one of these."""
        counts = cls()
        for each in several:
            for whole, part in ((counts.weekdays, each.weekdays), (counts.hours, each.hours)):
                for row, added in zip(whole, part, strict=True):
                    _add(row, added)
            for monday, added in each.weeks.items():
                _add(counts.weeks.setdefault(monday, _row()), added)
            counts.leads += each.leads
            for minutes, more in zip(counts.waits, each.waits, strict=True):
                minutes.extend(more)
        return counts


def _add(row: Row, added: Row) -> None:
    for column, number in enumerate(added):
        row[column] += number
