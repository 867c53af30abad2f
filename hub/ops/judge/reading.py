"""Reads the record for the judge."""

from hub.clock import Clock
from hub.ops.judge.record import Record
from hub.records.paging import every_appointment
from hub.records.ports import AppointmentFilter, Records
from hub.records.schedules import schedule_records_of

_ATTEMPTS = 10


class Unsettled(Exception):
    """The record changed each time while it was read: somebody else is at work on it."""


async def read_record(records: Records, clock: Clock) -> Record:
    """Return all appointments and timetables of all doctors, as of one moment. Raises `Unsettled`, `StoreUnavailable`.

    Pages are not of one moment, so where each doctor stands is asked before and after.
    """
    accounts = await records.users.doctors()
    doctors = [account.id for account in accounts]
    for _ in range(_ATTEMPTS):
        before = await _stand(records, doctors)
        wanted = [AppointmentFilter(doctor_id) for doctor_id in doctors]
        found = [one for each in wanted for one in await every_appointment(records.appointments, each)]
        schedule_records = await schedule_records_of(records, accounts)
        if await _stand(records, doctors) == before:
            return Record(found, schedule_records.values(), clock())
    raise Unsettled(f"the record changed during each of {_ATTEMPTS} readings")


async def _stand(records: Records, doctors: list[str]) -> dict[str, int]:
    return {doctor_id: await records.appointments.last_seq(doctor_id) for doctor_id in doctors}
