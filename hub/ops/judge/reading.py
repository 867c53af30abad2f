"""Reads the record for the judge."""

from hub.clock import Clock
from hub.ops.judge.record import Record
from hub.records.appointment_filter import AppointmentFilter
from hub.records.paging import every_appointment
from hub.records.ports import Records
from hub.records.schedules import schedule_records_of
from hub.scheduling.waitlist_entry import WaitlistEntry

_ATTEMPTS = 10
_EVERYTHING = 2**31 - 1


class Unsettled(Exception):
    """The record changed during each attempt to read it: other clients are using the hub."""


async def read_record(records: Records, clock: Clock) -> Record:
    """Return all appointments and schedules of all doctors, as of one moment. Raises `Unsettled`, `StoreUnavailable`.

    The pages are read one after the other. So the last `seq` of each doctor is compared before and after.
    """
    accounts = await records.users.doctors()
    doctors = [account.id for account in accounts]
    for _ in range(_ATTEMPTS):
        before = await _last_seqs(records, doctors)
        wanted = [AppointmentFilter(doctor_id) for doctor_id in doctors]
        found = [one for each in wanted for one in await every_appointment(records.appointments, each)]
        schedule_records = await schedule_records_of(records, accounts)
        entries = [one for each in doctors for one in await _entries(records, each)]
        if await _last_seqs(records, doctors) == before:
            return Record(found, schedule_records.values(), clock(), entries)
    raise Unsettled(f"the record changed during each of {_ATTEMPTS} attempts to read it")


async def _entries(records: Records, doctor_id: str) -> list[WaitlistEntry]:
    """Return all entries of a doctor's waitlist, of any status."""
    everything = await records.appointments.changed_since(doctor_id, 1, _EVERYTHING)
    return [each for each in everything if isinstance(each, WaitlistEntry)]


async def _last_seqs(records: Records, doctors: list[str]) -> dict[str, int]:
    return {doctor_id: await records.appointments.last_seq(doctor_id) for doctor_id in doctors}
