"""The timetables of doctors: as the record has them, or as of the hiring where nothing has changed since.

The account says how the doctor was hired, which never changes; so it does not matter which of the two is read first.
"""

import asyncio
from collections.abc import Sequence

from hub.accounts.account import Account
from hub.records.ports import Records
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, hired


async def schedule_records_of(records: Records, accounts: Sequence[Account]) -> dict[str, ScheduleRecord]:
    """Return the timetables of the doctors among these accounts, by doctor id."""
    doctors = [account.calendar for account in accounts if account.calendar]
    changed = await records.appointments.schedule_records([doctor.id for doctor in doctors])
    return {doctor.id: changed.get(doctor.id) or hired(doctor) for doctor in doctors}


async def schedule_record_of(records: Records, doctor_id: str) -> ScheduleRecord | None:
    """Return the timetable of a doctor; None when there is no such doctor."""
    account, changed = await asyncio.gather(
        records.users.by_id(doctor_id), records.appointments.schedule_records([doctor_id])
    )
    if account is None or account.calendar is None:
        return None
    return changed.get(doctor_id) or hired(account.calendar)


async def schedule_of(records: Records, doctor_id: str) -> Schedule | None:
    """Return the rules of a doctor as they are now; None when there is no such doctor."""
    schedule_record = await schedule_record_of(records, doctor_id)
    return schedule_record.doctor if schedule_record else None
