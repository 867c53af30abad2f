"""Fills an empty database: people, and weeks of appointments that the rules have led to."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.ops.seeding.history import history
from hub.ops.seeding.people import Person, doctors, patients
from hub.records.ports import Records, Saved
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import Status, Value

Progress = Callable[[int, int], None]
"""Called with how many steps are done, and of how many."""

_ROUNDS = 6
"""Of bcrypt. Few, because the passwords are no secret: the report holds them."""
_BATCH = 100


class LogIn(Value):
    """How somebody of the seeded clinic signs in."""

    role: Literal["doctor", "patient"]
    name: str
    email: str
    password: str


class SeedReport(Value):
    """What was written: for which day, how much of what, and the log-ins."""

    day: date
    doctors: int
    patients: int
    appointments: int
    events: int
    by_status: dict[Status, int]
    log_ins: tuple[LogIn, ...]


@dataclass(frozen=True)
class NotSeeded:
    """Nothing was changed; `reason` says to a person why."""

    reason: str


async def seed(
    records: Records, now: datetime, progress: Progress | None = None, report_path: Path | None = None
) -> SeedReport | NotSeeded:
    """Write the clinic of the day (UTC) that `now` is in, if there are no users yet, and the report as JSON.

    Everything but the salts of the passwords is the same for the same day. Whether the database may be written to is
    for the caller to know, see `is_local`. Raises `StoreUnavailable`; the next run then goes on where this one ended.
    """
    if await records.users.count():
        return NotSeeded("The database holds users already; nothing was changed.")
    today = now.astimezone(UTC).date()
    people = [*doctors(today), *patients(today)]
    stood = history(
        [person.calendar for person in people if person.calendar],
        [person.id for person in people if person.role == "patient"],
        today,
    )
    steps = _Steps(progress, total=len(people) + len(stood))
    accounts = await asyncio.gather(*(_account(person, steps) for person in people))
    if not await _save(records, stood, steps):
        return NotSeeded("The database holds appointments that are not of today's seed; begin with an empty one.")
    # Last, because users are the mark of a database that is not to be touched: a seed that was stopped half-way has
    # none, and is completed by the next run of the same day. Until then nobody can sign in to what is only half there.
    if taken := await records.users.add(accounts):
        return NotSeeded(f"Somebody signed up meanwhile with the {taken} of a seeded account.")
    report = _report(today, people, stood)
    if report_path:
        _write(report, report_path)
    return report


class _Steps:
    """Counts what is done and tells whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def done(self, steps: int) -> None:
        self._done += steps
        if self._progress:
            self._progress(self._done, self._total)


async def _account(person: Person, steps: _Steps) -> Account:
    hashed = await hash_password(person.password, _ROUNDS)
    steps.done(1)
    return Account(
        id=person.id,
        role=person.role,
        name=person.name,
        email=person.email,
        phone=person.phone,
        password_hash=hashed,
        created_at=person.created_at,
        specialty=person.specialty,
        calendar=person.calendar,
    )


async def _save(records: Records, stood: Sequence[Appointment], steps: _Steps) -> bool:
    """Write what is not there yet, in the order in which it happened. Return whether all of it is there now."""
    stored = await records.appointments.by_ids({appointment.id for appointment in stood})
    versions = {id_: appointment.version for id_, appointment in stored.items()}
    missing = [appointment for appointment in stood if appointment.version > versions.get(appointment.id, 0)]
    steps.done(len(stood) - len(missing))
    for begin in range(0, len(missing), _BATCH):
        batch = missing[begin : begin + _BATCH]
        if not isinstance(await records.appointments.save(batch), Saved):
            return False
        steps.done(len(batch))
    return True


def _report(today: date, people: Sequence[Person], stood: Sequence[Appointment]) -> SeedReport:
    latest = {appointment.id: appointment for appointment in stood}.values()
    counts = Counter(appointment.status for appointment in latest)
    return SeedReport(
        day=today,
        doctors=sum(person.role == "doctor" for person in people),
        patients=sum(person.role == "patient" for person in people),
        appointments=len(latest),
        events=len(stood),
        by_status={status: counts[status] for status in Status},
        log_ins=tuple(LogIn(role=p.role, name=p.name, email=p.email, password=p.password) for p in people),
    )


def _write(report: SeedReport, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
