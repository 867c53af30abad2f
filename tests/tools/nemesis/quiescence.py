"""Waits until nothing is under way. What is missing after that is lost."""

import asyncio
from itertools import chain

from hub.clock import Timekeeper
from hub.ops.judge import erasures, unoffered
from hub.ops.judge.reading import Unsettled, read_record
from hub.ops.judge.tolerance import Tolerance
from hub.records.appointment_filter import AppointmentFilter
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records
from hub.scheduling.line import OfferPolicy
from tests.tools.nemesis.erasures import unfinished
from tests.tools.nemesis.people import People

_LOOK_EVERY = 0.5
_OVERDUE = 4.0
"""Real seconds after which a due deadline or text counts as overdue."""
_TOLD_WITHIN = 15.0
"""Real seconds. An api process compares its feed with the record every three seconds."""


async def until_quiescent(  # noqa: PLR0917  # what to look at, and for how long
    people: People, records: Records, clock: Timekeeper, offers: OfferPolicy, within: float, settled_within: float
) -> str:
    """Return an empty string when deadlines, texts and lines are up to date, or what is unfinished after the time.

    Waits up to `within` seconds, and up to `settled_within` more for texts with an unknown result: the hub needs up to
    two minutes to find it.
    """
    now = asyncio.get_running_loop().time
    end = now() + within
    while trouble := await _unfinished_work(people, records, clock, offers):
        if now() > end:
            return trouble
        await asyncio.sleep(_LOOK_EVERY)
    end = now() + settled_within
    while now() < end and await records.texts.unsettled(clock()):  # noqa: ASYNC110 -- the record has no event for it
        await asyncio.sleep(_LOOK_EVERY)
    return ""


async def until_dashboards_complete(people: People, records: Records) -> None:
    """Return when every dashboard shows the record, or after a timeout: the judge names what is missing."""
    now = asyncio.get_running_loop().time
    end = now() + _TOLD_WITHIN
    while now() < end and not await _dashboards_complete(people, records):  # noqa: ASYNC110 -- the same
        await asyncio.sleep(_LOOK_EVERY)


async def _unfinished_work(people: People, records: Records, clock: Timekeeper, offers: OfferPolicy) -> str:
    """Return the first unfinished thing, or an empty string."""
    if trouble := await people.door.ready():
        return f"the hub is not ready: {trouble}"
    overdue = clock.after(-_OVERDUE)
    try:
        if due := await records.appointments.due(overdue):
            return f"{len(due)} deadlines are overdue, the first is {due[0]}"
        for line in ("patient", "doctor"):
            if waiting := await records.texts.due(line, overdue, 1):
                return f"a text to a {line} waits since {waiting[0].not_before}"
        erasing = [f"the erasure of {patient_id} is not finished" for patient_id in await unfinished(records)]
        record = await read_record(records, clock)
        left = chain(erasures.complete(people.history, record), unoffered.idle(record, Tolerance(offers=offers)))
        for each in chain(erasing, left):
            return str(each)
    except Unsettled:
        return "the record still changes"
    except StoreUnavailable:
        return "the database does not answer"
    return ""


async def _dashboards_complete(people: People, records: Records) -> bool:
    patients = {patient.id: patient for patient in people.patients if patient.id not in people.history.erasures}
    for doctor in people.doctors:
        if await records.appointments.last_seq(doctor.id) > doctor.dashboard.last_seq(doctor.id):
            return False
        for each in await records.appointments.page(AppointmentFilter(doctor_id=doctor.id), 1_000_000):
            patient = patients.get(each.patient_id)
            viewers = [*people.receptionists, *([patient] if patient else [])]
            if not all(viewer.dashboard.has(each.id, each.version) for viewer in viewers):
                return False
    return True
