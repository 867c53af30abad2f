"""Fills an empty database with users and with weeks of appointments that the rules have decided."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.ops.seeding.history import history
from hub.ops.seeding.people import (
    Person,
    RegisteredPatient,
    doctors,
    patients,
    receptionists,
    registered_patients,
)
from hub.records.ports import Records, Saved
from hub.scheduling.appointment import Appointment
from hub.scheduling.values import AccountRole, Status, Value

Progress = Callable[[int, int], None]
"""Called with the number of finished steps and the total."""

_BCRYPT_ROUNDS = 6
"""A low number, because the passwords are public: the report contains them."""
_BATCH = 100


class LogIn(Value):
    """The log-in of a user of the seeded clinic."""

    role: AccountRole
    name: str
    email: str
    password: str


class SeedReport(Value):
    """The day of the seed, the counts of what was written, and the log-ins.

    `patients` can log in; `registered_patients` cannot.
    """

    day: date
    doctors: int
    receptionists: int
    patients: int
    registered_patients: int
    appointments: int
    events: int
    by_status: dict[Status, int]
    log_ins: tuple[LogIn, ...]


@dataclass(frozen=True)
class NotSeeded:
    """The seed was refused; `reason` is a sentence for the operator."""

    reason: str


async def seed(
    records: Records, now: datetime, progress: Progress | None = None, report_path: Path | None = None
) -> SeedReport | NotSeeded:
    """Write the example clinic as it is at `now`, if there are no users yet, and the report as JSON.

    At a later hour of a day (UTC) it is the same clinic with more events, except for the salts of the passwords. While
    doctors work, some patients wait and some are in a room. The caller has to check that the database may be written to
    (see `is_local`). After `StoreUnavailable` the next call continues the work.
    """
    if await records.users.count():
        return NotSeeded("The database has users already; nothing was changed.")
    today = now.astimezone(UTC).date()
    people = [*doctors(today), *receptionists(today), *patients(today)]
    registered = registered_patients(today)
    versions = history(
        [person.schedule for person in people if person.schedule],
        [person.id for person in people if person.role == "patient"],
        [person.id for person in registered],
        [person.id for person in people if person.role == "receptionist"],
        now,
    )
    steps = _Steps(progress, total=len(people) + len(versions))
    accounts = await asyncio.gather(*(_account(person, steps) for person in people))
    if not await _save(records, versions, steps):
        return NotSeeded("The database has appointments that are not from today's seed; start with an empty one.")
    # Users are written last, because a database with users is never seeded. A seed that was stopped half-way has none,
    # so the next run on the same day completes it. Until then nobody can sign in to the incomplete data.
    if taken := await records.users.add([*accounts, *map(_registered_account, registered)]):
        return NotSeeded(f"A user signed up during the seed with the {taken} of a seeded account.")
    report = _report(today, people, len(registered), versions)
    if report_path:
        _write(report, report_path)
    return report


class _Steps:
    """Counts the finished steps and reports them."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def done(self, steps: int) -> None:
        self._done += steps
        if self._progress:
            self._progress(self._done, self._total)


async def _account(person: Person, steps: _Steps) -> Account:
    hashed = await hash_password(person.password, _BCRYPT_ROUNDS)
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
        schedule=person.schedule,
    )


def _registered_account(patient: RegisteredPatient) -> Account:
    return Account(
        id=patient.id,
        role="patient",
        name=patient.name,
        email=None,
        phone=patient.phone,
        password_hash=None,
        created_at=patient.created_at,
    )


async def _save(records: Records, versions: Sequence[Appointment], steps: _Steps) -> bool:
    """Write the missing versions in the order of their events. Return whether all of them are stored now."""
    stored = await records.appointments.by_ids({appointment.id for appointment in versions})
    stored_versions = {id_: appointment.version for id_, appointment in stored.items()}
    missing = [appointment for appointment in versions if appointment.version > stored_versions.get(appointment.id, 0)]
    steps.done(len(versions) - len(missing))
    for begin in range(0, len(missing), _BATCH):
        batch = missing[begin : begin + _BATCH]
        if not isinstance(await records.appointments.save(batch), Saved):
            return False
        steps.done(len(batch))
    return True


def _report(today: date, people: Sequence[Person], registered: int, versions: Sequence[Appointment]) -> SeedReport:
    latest = {appointment.id: appointment for appointment in versions}.values()
    counts = Counter(appointment.status for appointment in latest)
    return SeedReport(
        day=today,
        doctors=sum(person.role == "doctor" for person in people),
        receptionists=sum(person.role == "receptionist" for person in people),
        patients=sum(person.role == "patient" for person in people),
        registered_patients=registered,
        appointments=len(latest),
        events=len(versions),
        by_status={status: counts[status] for status in Status},
        log_ins=tuple(LogIn(role=p.role, name=p.name, email=p.email, password=p.password) for p in people),
    )


def _write(report: SeedReport, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
