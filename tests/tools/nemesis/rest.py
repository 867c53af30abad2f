"""Waiting until nothing is under way any more, so that what is missing then is missing for good."""

import asyncio

from hub.clock import Timekeeper
from hub.records.errors import StoreUnavailable
from hub.records.ports import AppointmentFilter, Records
from tests.tools.nemesis.people import People

_LOOK_EVERY = 0.5
_OVERDUE = 4.0
"""Real seconds after which a deadline, or a text, that has been due is not merely on its way."""
_TOLD_WITHIN = 15.0
"""Real seconds; an api process compares with the record every three."""


async def come_to_rest(people: People, records: Records, clock: Timekeeper, within: float, dark_within: float) -> str:
    """Return when deadlines and texts are up to date; what is not, in words, when that takes too long.

    Waits `dark_within` more for texts whose fate nobody knows: to find it out takes the hub up to two minutes.
    """
    now = asyncio.get_running_loop().time
    end = now() + within
    while trouble := await _unrest(people, records, clock):
        if now() > end:
            return trouble
        await asyncio.sleep(_LOOK_EVERY)
    end = now() + dark_within
    while now() < end and await records.texts.unsettled(clock()):  # noqa: ASYNC110 -- the record has no event for it
        await asyncio.sleep(_LOOK_EVERY)
    return ""


async def everybody_is_told(people: People, records: Records) -> None:
    """Return when every dashboard shows the record, or that takes too long: the judge says it better."""
    now = asyncio.get_running_loop().time
    end = now() + _TOLD_WITHIN
    while now() < end and not await _all_are_told(people, records):  # noqa: ASYNC110 -- the same
        await asyncio.sleep(_LOOK_EVERY)


async def _unrest(people: People, records: Records, clock: Timekeeper) -> str:
    """Return what is not as it should be in the end; nothing when all is well."""
    if trouble := await people.door.ready():
        return f"the hub is not ready: {trouble}"
    overdue = clock.after(-_OVERDUE)
    try:
        if due := await records.appointments.due(overdue):
            return f"{len(due)} deadlines are overdue, the first is {due[0]}"
        for line in ("patient", "doctor"):
            if waiting := await records.texts.due(line, overdue, 1):
                return f"a text to a {line} waits since {waiting[0].not_before}"
    except StoreUnavailable:
        return "the database does not answer"
    return ""


async def _all_are_told(people: People, records: Records) -> bool:
    for doctor in people.doctors:
        if await records.appointments.last_seq(doctor.id) > doctor.dashboard.last_seq(doctor.id):
            return False
        for each in await records.appointments.page(AppointmentFilter(doctor_id=doctor.id), 1_000_000):
            patient = next((one for one in people.patients if one.id == each.patient_id), None)
            if patient and not patient.dashboard.has(each.id, each.version):
                return False
    return True
