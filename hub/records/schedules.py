"""The schedules of doctors: the stored record, or the schedule in the account where it has never been changed.

The schedule in the account never changes, so it does not matter which of the two is read first.
"""

import asyncio
from collections.abc import Sequence

from hub.accounts.account import Account
from hub.records.ports import Records
from hub.scheduling.schedule import Schedule
from hub.scheduling.schedule_record import ScheduleRecord, unchanged_schedule


async def schedule_records_of(records: Records, accounts: Sequence[Account]) -> dict[str, ScheduleRecord]:
    """Return the schedule records of the doctors among these accounts, by doctor id."""
    schedules = [account.schedule for account in accounts if account.schedule]
    changed = await records.appointments.schedule_records([schedule.id for schedule in schedules])
    return {schedule.id: changed.get(schedule.id) or unchanged_schedule(schedule) for schedule in schedules}


async def schedule_record_of(records: Records, doctor_id: str) -> ScheduleRecord | None:
    """Return the schedule record of a doctor, or None if the doctor does not exist."""
    account, changed = await asyncio.gather(
        records.users.by_id(doctor_id), records.appointments.schedule_records([doctor_id])
    )
    if account is None or account.schedule is None:
        return None
    return changed.get(doctor_id) or unchanged_schedule(account.schedule)


async def schedule_of(records: Records, doctor_id: str) -> Schedule | None:
    """Return the schedule of a doctor as it is now, or None if the doctor does not exist."""
    schedule_record = await schedule_record_of(records, doctor_id)
    return schedule_record.current if schedule_record else None
