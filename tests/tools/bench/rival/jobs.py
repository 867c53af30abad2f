"""The deadlines of appointments: a reminder and a no-show, each a job of APScheduler in its MongoDB job store.

The scheduler and its job store block, so they run in threads of their own, and `Jobs` hands its calls to a thread. The
jobs themselves run on the event loop of the service.
"""

import asyncio
import pickle
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.mongodb import MongoDBJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from bson import Binary
from pymongo import MongoClient

from hub.clock import system_clock

REMINDER_LEAD = timedelta(hours=3)
NO_SHOW_DELAY = timedelta(minutes=15)
_RULES: dict[str, Any] = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
"""A job that was missed while the service was down runs as soon as it is up again."""
_LOOK_AHEAD = timedelta(seconds=2)
_JOB_WITHIN = 60.0


class Deadlines(Protocol):
    """What the jobs do."""

    async def remind(self, appointment_id: str) -> None: ...

    async def mark_missed(self, appointment_id: str) -> None: ...


class Jobs:
    """Adds and removes the jobs of appointments, and runs those that are due."""

    def __init__(self, url: str) -> None:
        self._scheduler = BackgroundScheduler(jobstores={"default": _job_store(url)}, job_defaults=_RULES, timezone=UTC)

    def start(self, deadlines: Deadlines) -> None:
        """Begin to run jobs, on the running event loop."""
        _Running.loop, _Running.deadlines = asyncio.get_running_loop(), deadlines
        self._scheduler.start()

    async def stop(self) -> None:
        """Run no more jobs."""
        await asyncio.to_thread(self._scheduler.shutdown, wait=False)

    async def add(self, appointment_id: str, start: datetime) -> None:
        """Add the jobs of an appointment, or move them to another start."""
        await asyncio.to_thread(self._add, appointment_id, start)

    async def remove(self, appointment_id: str) -> None:
        """Remove the jobs of an appointment that have not run."""
        await asyncio.to_thread(self._remove, appointment_id)

    def _add(self, appointment_id: str, start: datetime) -> None:
        for name, run, due in _plan(start):
            if due > system_clock():
                self._scheduler.add_job(
                    run,
                    "date",
                    run_date=due,
                    args=[appointment_id],
                    id=f"{appointment_id} {name}",
                    replace_existing=True,
                )

    def _remove(self, appointment_id: str) -> None:
        for name, _, _ in _plan(system_clock()):
            with suppress(JobLookupError):
                self._scheduler.remove_job(f"{appointment_id} {name}")


def run_reminder(appointment_id: str) -> None:
    """Remind the patient. A thread of the scheduler calls this, by the name that is in the job store."""
    asyncio.run_coroutine_threadsafe(_Running.deadlines.remind(appointment_id), _Running.loop).result(_JOB_WITHIN)


def run_no_show(appointment_id: str) -> None:
    """Mark the appointment as missed, in the same way."""
    asyncio.run_coroutine_threadsafe(_Running.deadlines.mark_missed(appointment_id), _Running.loop).result(_JOB_WITHIN)


def documents_of(appointment_id: str, start: datetime) -> Iterator[dict[str, Any]]:
    """Yield the jobs of an appointment as the job store keeps them, to write many at once."""
    for name, run, due in _plan(start):
        if due <= system_clock():
            continue
        job = Job.__new__(Job)
        job.__setstate__(
            {
                **_RULES,
                "version": 1,
                "id": f"{appointment_id} {name}",
                "func": f"{__name__}:{run.__name__}",
                "trigger": DateTrigger(due, UTC),
                "executor": "default",
                "args": (appointment_id,),
                "kwargs": {},
                "name": run.__name__,
                "next_run_time": due,
            }
        )
        state = pickle.dumps(job.__getstate__(), pickle.HIGHEST_PROTOCOL)
        yield {"_id": job.id, "next_run_time": due.timestamp(), "job_state": Binary(state)}


class _Running:
    """What the jobs of this process call. A job in the store holds only its own arguments."""

    loop: asyncio.AbstractEventLoop
    deadlines: Deadlines


class _JobStore(MongoDBJobStore):
    """Looks for the next job no further than `_LOOK_AHEAD` from now, and again at the end of that time.

    The embedded database reads all jobs to find the first one (0.3 s with 10,000 jobs), for each job that is added. A
    MongoDB reads one index entry for either question.
    """

    def get_next_run_time(self) -> datetime:
        end = system_clock() + _LOOK_AHEAD
        due = self.collection.find({"next_run_time": {"$lte": end.timestamp()}}, ["next_run_time"])
        first = min((document["next_run_time"] for document in due), default=end.timestamp())
        return datetime.fromtimestamp(first, UTC)


def _job_store(url: str) -> MongoDBJobStore:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    return _JobStore(database=client.get_default_database().name, collection="jobs", client=client)


def _plan(start: datetime) -> tuple[tuple[str, Any, datetime], ...]:
    return (
        ("reminder", run_reminder, start - REMINDER_LEAD),
        ("no_show", run_no_show, start + NO_SHOW_DELAY),
    )
