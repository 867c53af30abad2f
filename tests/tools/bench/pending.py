"""Scenario: many pending deadlines over months. A worker starts, sends reminders, and takes over from another worker.

The hub that the other scenarios measure stands idle meanwhile: this one fills a database of its own.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from hub.clock import Timekeeper
from hub.records.appointments import _write
from hub.records.mongo import MongoRecords, connect
from hub.scheduling.appointment import REMINDER_LEAD, Appointment
from hub.settings import address, clock_settings, timekeeper
from tests.acceptance.ledger import Ledger, spread
from tests.own_database import own_database
from tests.stack import Stack
from tests.tools.bench.figures import Figures, milliseconds
from tests.tools.bench.service import WrongAnswers
from tests.tools.bench.subject import Subject

MORNING = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
_MONTHS = timedelta(days=270)
_FIRST = timedelta(days=2)
"""Time until the first of the many appointments: none of their deadlines comes due during the measurement."""
_OF_A_DOCTOR = 200
"""Deadlines per doctor: a million deadlines belong to five thousand doctors."""
_AT_ONCE = 5_000
_DUE, _DUE_WITHIN = 1_000, 20.0
"""Number of reminders that come due during the measurement, and within how many seconds."""
_DUE_DOCTORS = 50
"""Doctors of those reminders only."""
_SHORTLY = 30.0
"""Seconds until the first of those reminders: enough to start two workers before."""
_PATIENCE = 120.0
_MEGABYTE = 1024 * 1024


async def pending(subject: Subject, _: float, number: int) -> Figures:
    """Fill a record with deadlines. Measure a worker's start, its reminders, a takeover, and the memory."""
    with (
        tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory,
        own_database(subject.server) as url,
        _all_cores(subject),
    ):
        there = {**clock_settings(MORNING, 1.0), "mongodb_url": url}
        async with Stack(Path(directory), subject.stack.broker_kind, **there, log_level="INFO") as stack:
            await stack.start_engines()
            records = connect(address(stack.settings, "mongodb_url"))
            try:
                ledger = Ledger(records, MORNING - timedelta(days=30))
                filled = await _timed(_fill(records, ledger, number))
                return {
                    "fill s": filled,
                    **await _measure(stack, records, ledger),
                    **({} if url else _weight(stack.database.pid, Path(directory) / "mongo")),
                }
            finally:
                await records.close()


async def _measure(stack: Stack, records: MongoRecords, ledger: Ledger) -> Figures:
    clock = timekeeper(stack.settings)
    coming = await _come_due(ledger, clock, _DUE, after=_SHORTLY, within=_DUE_WITHIN)
    started = await _timed(stack.add_agents())
    (victim,) = stack.agents
    successor = await stack.add_agents()
    # Nobody looks meanwhile: that would cost the database something.
    await asyncio.sleep(clock.seconds_until(coming[-1].start - REMINDER_LEAD))
    late = await _reminded(records, coming)
    some = await _come_due(ledger, clock, _DUE_DOCTORS, after=0.0, within=0.0)

    async def take_over() -> None:
        await stack.kill(victim)
        await _reminded(records, some)

    return {
        "start s": started,
        "take-over s": await _timed(take_over()),
        "agents MB": _resident(successor.pid),
        **{f"late, {name}": value for name, value in milliseconds(late).items()},
    }


async def _fill(records: MongoRecords, ledger: Ledger, number: int) -> None:
    """Write the appointments before the indexes: this takes half as long."""
    doctors = await ledger.doctors(number // _OF_A_DOCTOR)
    (patient,) = await ledger.patients(1)
    starts = (MORNING + _FIRST + _MONTHS * place / number for place in range(number))
    # Each of a patient of its own, as far as anybody looks: no patient is in two places at once.
    bookings = ((doctors[place % len(doctors)], f"{patient.id}-{place}", start) for place, start in enumerate(starts))
    done = 0
    for batch in _batches(ledger.appointments(bookings)):
        await records.appointments._collection.insert_many([_write(one).document for one in batch], ordered=False)
        done += len(batch)
        _progress(f"{done:,} of {number:,} written")
    _progress("making the indexes")
    await records.prepare()
    await ledger.planned()
    _progress("")


async def _come_due(
    ledger: Ledger, clock: Timekeeper, number: int, *, after: float, within: float
) -> list[Appointment]:
    """Book appointments whose reminders come due evenly over a time, from some seconds from now on."""
    doctors = await ledger.doctors(_DUE_DOCTORS)
    starts = spread(clock.after(after) + REMINDER_LEAD, timedelta(seconds=within), number)
    return await ledger.book(
        [(doctors[place % len(doctors)], f"due-{start:%H%M%S%f}-{place}", start) for place, start in enumerate(starts)]
    )


async def _reminded(records: MongoRecords, booked: Sequence[Appointment]) -> list[float]:
    """Wait for all reminders. Return for each the seconds between its due time and its event."""
    ids = [one.id for one in booked]
    end = time.perf_counter() + _PATIENCE
    while True:
        found = await records.appointments.by_ids(ids)
        if all(one.last.type == "reminded" for one in found.values()):
            return [(one.last.at - one.start + REMINDER_LEAD).total_seconds() for one in found.values()]
        if time.perf_counter() > end:
            raise WrongAnswers("some were not reminded")
        await asyncio.sleep(0.1)


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _batches(appointments: Iterable[Appointment]) -> Iterator[list[Appointment]]:
    """Yield them in parts, to limit the memory of this process."""
    left = iter(appointments)
    while batch := list(islice(left, _AT_ONCE)):
        yield batch


@contextmanager
def _all_cores(subject: Subject) -> Iterator[None]:
    """Undo the pinning: this scenario uses all cores for everything."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, ours | os.sched_getaffinity(subject.processes["agents"]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def _weight(database: int, folder: Path) -> Figures:
    return {"database MB": _resident(database), "on disk MB": _on_disk(folder)}


def _resident(pid: int) -> float:
    """Return the memory of a process in megabytes, or 0 where the system does not report it."""
    file = Path(f"/proc/{pid}/statm")
    return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE if file.exists() else 0.0


def _on_disk(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / _MEGABYTE


def _progress(what: str) -> None:
    """Show the progress in one line that is overwritten."""
    sys.stderr.write(f"\r\x1b[K{what}")
    sys.stderr.flush()
