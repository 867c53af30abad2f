"""Reads lists of appointments of any length page by page, and pages over several doctors."""

import asyncio
from collections.abc import Collection
from heapq import merge
from itertools import islice

from hub.records.appointment_filter import After, AppointmentFilter
from hub.records.ports import AppointmentRecords
from hub.scheduling.appointment import Appointment


async def every_appointment(
    records: AppointmentRecords, wanted: AppointmentFilter, page_size: int = 1000
) -> list[Appointment]:
    """Return all appointments that match the filter, ordered by (start, id).

    The pages are not a snapshot: an appointment that moves meanwhile may be missing, or appear twice.
    """
    found: list[Appointment] = []
    after = None
    while True:
        page = await records.page(wanted, page_size, after)
        found += page
        if len(page) < page_size:
            return found
        after = After(page[-1].start, page[-1].id)


async def page_of_doctors(
    records: AppointmentRecords,
    doctor_ids: Collection[str],
    wanted: AppointmentFilter,
    limit: int,
    after: After | None = None,
) -> list[Appointment]:
    """Return at most `limit` appointments of all these doctors after the position `after`, ordered by (start, id).

    One read for each doctor: there is no index on the start alone, because it would cost every booking an entry.
    """
    filters = [wanted.within(AppointmentFilter(doctor_id=doctor_id)) for doctor_id in doctor_ids]
    pages = await asyncio.gather(*(records.page(of_doctor, limit, after) for of_doctor in filters))
    return list(islice(merge(*pages, key=lambda one: (one.start, one.id)), limit))
