"""Parses weekly hours as they are written on the command line, as in `mon-fri 09:00-12:00 13:00-17:00`."""

import re
from collections.abc import Sequence

from hub.scheduling.schedule import Shift

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LINE = re.compile(rf"({'|'.join(_DAYS)})(?:-({'|'.join(_DAYS)}))?((?: +\d?\d:\d\d-\d?\d:\d\d)+)", re.ASCII)
_SHIFT = re.compile(r"(\d?\d):(\d\d)-(\d?\d):(\d\d)", re.ASCII)
_MINUTES = range(60)


def shifts_of(lines: Sequence[str]) -> tuple[Shift, ...]:
    """Return the shifts of lines such as `mon-fri 09:00-12:00 13:00-17:00` and `sat 09:00-12:00`.

    Times are in the doctor's time zone, on half hours; 24:00 is the end of a day. Raises ValueError. Whether shifts
    overlap is checked where all of them are known, as `WeeklyHours`.
    """
    return tuple(shift for line in lines for shift in _shifts(line))


def _shifts(line: str) -> list[Shift]:
    match = _LINE.fullmatch(line.strip().lower())
    if match is None:
        raise ValueError(f"hours are written like 'mon-fri 09:00-12:00 13:00-17:00', not like {line!r}")
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    if last < first:
        raise ValueError(f"a week begins on Monday: write {line!r} as two lines")
    times = [[int(part) for part in found] for found in _SHIFT.findall(match[3])]
    if any(minute not in _MINUTES for _, opens, _, closes in times for minute in (opens, closes)):
        raise ValueError(f"an hour has 60 minutes: {line!r}")
    return [
        Shift(weekday=weekday, opens=from_hour * 60 + from_minute, closes=to_hour * 60 + to_minute)
        for weekday in range(first, last + 1)
        for from_hour, from_minute, to_hour, to_minute in times
    ]
