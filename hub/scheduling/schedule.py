"""When a doctor works (zone, weekly hours, time off), and at which instants slots start."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from hub.scheduling.values import APPOINTMENT_DURATION, Id, Instant, Value

_DAY_MINUTES = 24 * 60
_SLOT_MINUTES = 30
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _known_zone(name: str) -> str:
    if name not in _zones():
        message = f"{name!r} is not an IANA time zone, for example Europe/Berlin"
        raise ValueError(message)
    return name


def _on_half_hour(minute: int) -> int:
    if minute % _SLOT_MINUTES:
        raise PydanticCustomError(
            "off_grid",
            "Working hours begin and end on full or half hours, not at {time}",
            {"time": _clock_time(minute)},
        )
    return minute


def _id_of_start(given: dict[str, Any]) -> str:
    return f"{given['start']:%Y%m%dT%H%MZ}"


ZoneName = Annotated[str, AfterValidator(_known_zone)]
MinuteOfDay = Annotated[int, Field(ge=0, le=_DAY_MINUTES), AfterValidator(_on_half_hour)]


class Shift(Value):
    """Working time on one weekday (0 is Monday), in minutes after midnight in the doctor's zone, end excluded."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    opens: MinuteOfDay
    closes: MinuteOfDay

    @field_validator("closes", mode="before")
    @classmethod
    def _on_the_day_it_opens(cls, closes: object, others: ValidationInfo) -> object:
        """Refuse a shift that ends before it begins or after midnight, and say how one that passes midnight is written.

        Runs before the limits of the field, which would only say that a number is too large.
        """
        opens, weekday, minute = others.data.get("opens"), others.data.get("weekday"), _minute(closes)
        if opens is None or weekday is None or minute is None or opens < minute <= _DAY_MINUTES:
            return closes
        ends = minute % _DAY_MINUTES if minute > _DAY_MINUTES else minute
        if opens in {minute, _DAY_MINUTES} or not 0 <= minute <= 2 * _DAY_MINUTES:
            raise PydanticCustomError("shift", "A shift closes after it opens, at 24:00 at the latest")
        parts = [_said(weekday, opens, _DAY_MINUTES)]
        if ends:
            parts.append(_said((weekday + 1) % len(_WEEK), 0, ends))
        raise PydanticCustomError(
            "shift_passes_midnight",
            "A shift ends by midnight of the day on which it opens, and this one opens at {opens} and closes at "
            "{closes}. Hours that pass midnight are written as a shift for each day: {parts}",
            {"opens": _clock_time(opens), "closes": _clock_time(ends), "parts": " and ".join(parts)},
        )


def _minute(given: object) -> int | None:
    """Return the number that the field will have; None for what the field refuses."""
    try:
        return int(given) if isinstance(given, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _said(weekday: int, opens: int, closes: int) -> str:
    times = f"{_clock_time(opens)}-{_clock_time(closes)}"
    return f"{_WEEK[weekday]} {times} (weekday {weekday}, minutes {opens} to {closes})"


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _in_order(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
    """Return the shifts in the order of the week, so that the same hours are the same command; refuse overlaps."""
    in_order = tuple(sorted(shifts, key=lambda shift: (shift.weekday, shift.opens)))
    for one, following in pairwise(in_order):
        if one.weekday == following.weekday and following.opens < one.closes:
            raise PydanticCustomError(
                "overlap",
                "Two shifts of {day} (weekday {weekday}) overlap: {one} and {other}",
                {
                    "day": _WEEK[one.weekday],
                    "weekday": one.weekday,
                    "one": f"{_clock_time(one.opens)}-{_clock_time(one.closes)}",
                    "other": f"{_clock_time(following.opens)}-{_clock_time(following.closes)}",
                },
            )
    return in_order


def _without_overlaps(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """Return the same working time in the order of the week, with overlapping shifts joined.

    Records can have overlapping shifts, because the command line once accepted them.
    """
    joined: list[Shift] = []
    for shift in sorted(shifts, key=lambda each: (each.weekday, each.opens)):
        last = joined[-1] if joined else None
        if last and last.weekday == shift.weekday and shift.opens < last.closes:
            joined[-1] = last.model_copy(update={"closes": max(last.closes, shift.closes)})
        else:
            joined.append(shift)
    return tuple(joined)


_MAX_SHIFTS = len(_WEEK) * _DAY_MINUTES // _SLOT_MINUTES
"""A shift for each half hour of a week: more shifts overlap."""
WeeklyHours = Annotated[tuple[Shift, ...], Field(max_length=_MAX_SHIFTS), AfterValidator(_in_order)]
"""Weekly hours as people enter them: shifts that do not overlap, in the order of the week. They may touch."""


def after_start(end: datetime, others: ValidationInfo) -> datetime:
    """Validate the `end` of something that has a `start`."""
    if "start" in others.data and end <= others.data["start"]:
        message = "time off ends after it starts"
        raise ValueError(message)
    return end


Note = Annotated[str, Field(min_length=1, max_length=200)]


class Absence(Value):
    """A time without appointments; the end is excluded. Only the doctor sees the `note`."""

    start: Instant
    end: Annotated[Instant, AfterValidator(after_start)]
    note: Note | None = None


class TimeOff(Absence):
    """An absence with an id: that of the command that added it, or made of its start if it came with the account."""

    id: Id = Field(default_factory=_id_of_start)


class Schedule(Value):
    """All that the rules need of a doctor. A disabled doctor takes no new appointments."""

    id: Id
    zone: ZoneName
    shifts: Annotated[tuple[Shift, ...], AfterValidator(_without_overlaps)] = ()
    time_off: tuple[TimeOff, ...] = ()
    disabled: bool = False

    def on_grid(self, start: datetime) -> bool:
        """Return whether `start` is a full or half hour in the doctor's zone."""
        return _on_grid(start.astimezone(zone(self.zone)))

    def works_at(self, start: datetime) -> bool:
        """Return whether an appointment may start then: on the grid, in a shift, not in time off.

        A slot belongs to a shift when its start, in local time, does. Converting each instant to local time keeps days
        of 23 and 25 hours right: a skipped half hour has no instant, a repeated one has two.
        """
        local = start.astimezone(zone(self.zone))
        minute = local.hour * 60 + local.minute
        return (
            _on_grid(local)
            and any(s.weekday == local.weekday() and s.opens <= minute < s.closes for s in self.shifts)
            and not any(off.start < start + APPOINTMENT_DURATION and start < off.end for off in self.time_off)
        )

    def starts_of(self, day: date) -> Iterator[datetime]:
        """Yield the starts (UTC) of the working slots of the doctor's calendar day, in order of time."""
        begin, end = self.day_bounds(day)
        start = begin
        while start < end:
            if self.works_at(start):
                yield start
            start += APPOINTMENT_DURATION

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the first instant (UTC) of the doctor's calendar day and the first one of the next day."""
        here = zone(self.zone)
        return _midnight(day, here), _midnight(day + timedelta(days=1), here)

    def day_of(self, instant: datetime) -> date:
        """Return the doctor's calendar day that holds the instant."""
        return instant.astimezone(zone(self.zone)).date()


def _on_grid(local: datetime) -> bool:
    return local.minute % _SLOT_MINUTES == 0 and local.second == 0 and local.microsecond == 0


@cache
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone. `ZoneName` has checked the name."""
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    # Without "localtime", which some systems list: it is a different zone on each machine.
    return frozenset(available_timezones() - {"localtime"})


def _midnight(day: date, here: ZoneInfo) -> datetime:
    """Return the first instant of a day.

    Where midnight comes twice, fold 0 is the first. Where the clock change begins at midnight and skips it, the change
    itself is the first instant, and PEP 495 gives it for fold 0. A change that begins before midnight and ends after it
    would give a wrong result; tests/properties finds no zone with such a change in its years.
    """
    return datetime.combine(day, time(0), here).astimezone(UTC)
