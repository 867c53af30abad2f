"""Reads lists of appointments of any length page by page."""

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
