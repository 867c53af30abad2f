"""Fills an empty database with users and with weeks of appointments that the rules have decided."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from hub.accounts.account import Account
from hub.accounts.passwords import hash_password
from hub.ops.seeding.clinic import Version
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
from hub.scheduling.values import AccountRole, Instant, Status, Value
from hub.scheduling.waitlist_entry import WaitlistEntry

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

    `patients` can log in; `registered_patients` cannot. `waiting` counts those who wait for a slot. `offered_to` is the
    patient who has an open offer, which ends at `offered_until`; None if there is none.
    """

    day: date
    doctors: int
    receptionists: int
    patients: int
    registered_patients: int
    appointments: int
    events: int
    by_status: dict[Status, int]
    waiting: int
    offered_to: LogIn | None
    offered_until: Instant | None
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
    made = history(
        [person.schedule for person in people if person.schedule],
        [person.id for person in people if person.role == "patient"],
        [person.id for person in registered],
        [person.id for person in people if person.role == "receptionist"],
        now,
    )
    steps = _Steps(progress, total=len(people) + len(made.versions) + len(made.latest))
    accounts = await asyncio.gather(*(_account(person, steps) for person in people))
    if not await _save(records, made.versions, steps):
        return NotSeeded("The database has appointments that are not from today's seed; start with an empty one.")
    # Users are written after all this, because a database with users is never seeded. A seed that was stopped half-way
    # has none, so the next run on the same day completes it. Until then nobody can sign in to the incomplete data.
    if taken := await records.users.add([*accounts, *map(_registered_account, registered)]):
        return NotSeeded(f"A user signed up during the seed with the {taken} of a seeded account.")
    # The latest offer is of this minute, so no later run could complete it: it may be missing after a crash.
    offered = await _save(records, made.latest, steps)
    report = _report(today, people, len(registered), [*made.versions, *(made.latest if offered else ())])
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


async def _save(records: Records, versions: Sequence[Version], steps: _Steps) -> bool:
    """Write the missing versions in the order of their events. Return whether all of them are stored now."""
    ids = {each.id for each in versions}
    appointments, entries = await asyncio.gather(records.appointments.by_ids(ids), records.waitlist.by_ids(ids))
    stored = {id_: each.version for id_, each in appointments.items()}
    stored |= {id_: each.version for id_, each in entries.items()}
    missing = [each for each in versions if each.version > stored.get(each.id, 0)]
    steps.done(len(versions) - len(missing))
    for begin in range(0, len(missing), _BATCH):
        batch = missing[begin : begin + _BATCH]
        if not isinstance(await records.appointments.save(batch), Saved):
            return False
        steps.done(len(batch))
    return True


def _report(today: date, people: Sequence[Person], registered: int, versions: Sequence[Version]) -> SeedReport:
    latest = {each.id: each for each in versions}.values()
    appointments = [each for each in latest if isinstance(each, Appointment)]
    counts = Counter(appointment.status for appointment in appointments)
    log_ins = {p.id: LogIn(role=p.role, name=p.name, email=p.email, password=p.password) for p in people}
    offers = {
        each.patient_id: each for each in appointments if each.status is Status.OFFERED and each.patient_id in log_ins
    }
    offered_to = next(iter(each for each in log_ins if each in offers), None)
    return SeedReport(
        day=today,
        doctors=sum(person.role == "doctor" for person in people),
        receptionists=sum(person.role == "receptionist" for person in people),
        patients=sum(person.role == "patient" for person in people),
        registered_patients=registered,
        appointments=len(appointments),
        events=len(versions),
        by_status={status: counts[status] for status in Status},
        waiting=sum(isinstance(each, WaitlistEntry) and each.waiting for each in latest),
        offered_to=log_ins[offered_to] if offered_to else None,
        offered_until=offers[offered_to].offered_until if offered_to else None,
        log_ins=tuple(log_ins.values()),
    )


def _write(report: SeedReport, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
