"""Doctors never sign up: somebody at the clinic makes their accounts, from the command line."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.accounts.account import Account
from hub.accounts.fields import Email, Name, Phone
from hub.accounts.passwords import hash_password
from hub.accounts.ports import Unique, UserRecords
from hub.ids import new_id, new_secret
from hub.scheduling.schedule import Schedule, Shift, ZoneName
from hub.scheduling.values import Value

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LINE = re.compile(rf"({'|'.join(_DAYS)})(?:-({'|'.join(_DAYS)}))?((?: \d\d:\d\d-\d\d:\d\d)+)", re.ASCII)
_SHIFT = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_HOUR = range(60)


class NewDoctor(Value):
    """A doctor who is to have an account."""

    name: Name
    email: Email
    phone: Phone | None
    zone: ZoneName
    specialty: Annotated[str, Field(min_length=1, max_length=100)] | None
    shifts: tuple[Shift, ...]


async def hire(users: UserRecords, doctor: NewDoctor, now: datetime, rounds: int) -> tuple[Account, str] | Unique:
    """Make the account and return it with its first password; or the field that another account holds.

    Raises `StoreUnavailable`.
    """
    password, id_ = new_secret()[:20], new_id()
    account = Account(
        id=id_,
        role="doctor",
        name=doctor.name,
        email=doctor.email,
        phone=doctor.phone,
        password_hash=await hash_password(password, rounds),
        created_at=now,
        specialty=doctor.specialty,
        calendar=Schedule(id=id_, zone=doctor.zone, shifts=doctor.shifts),
    )
    return await users.add([account]) or (account, password)


def shifts_of(lines: Sequence[str]) -> tuple[Shift, ...]:
    """Return the weekly hours that lines like `mon-fri 09:00-12:00 13:00-17:00` and `sat 09:00-12:00` say.

    Times are by the doctor's clock, on half hours; 24:00 ends a day. Raises ValueError.
    """
    return tuple(shift for line in lines for shift in _shifts(line))


def _shifts(line: str) -> list[Shift]:
    read = _LINE.fullmatch(line.strip().lower())
    if read is None:
        raise ValueError(f"hours are written like 'mon-fri 09:00-12:00 13:00-17:00', not like {line!r}")
    first, last = _DAYS.index(read[1]), _DAYS.index(read[2] or read[1])
    if last < first:
        raise ValueError(f"a week begins on Monday: write {line!r} as two lines")
    times = [[int(part) for part in found] for found in _SHIFT.findall(read[3])]
    if any(minute not in _HOUR for _, opens, _, closes in times for minute in (opens, closes)):
        raise ValueError(f"an hour has 60 minutes: {line!r}")
    return [
        Shift(weekday=weekday, opens=from_hour * 60 + from_minute, closes=to_hour * 60 + to_minute)
        for weekday in range(first, last + 1)
        for from_hour, from_minute, to_hour, to_minute in times
    ]
