"""Reads a list of appointments of any length page by page."""

from hub.records.ports import After, AppointmentFilter, AppointmentRecords
from hub.scheduling.appointment import Appointment


async def every_appointment(
    records: AppointmentRecords, wanted: AppointmentFilter, page_size: int = 1000
) -> list[Appointment]:
    """Return all appointments that pass the filter, ordered by (start, id).

    The pages are not of one moment: an appointment that moves meanwhile may be on none of them, or on two.
    """
    found: list[Appointment] = []
    after = None
    while True:
        page = await records.page(wanted, page_size, after)
        found += page
        if len(page) < page_size:
            return found
        after = After(page[-1].start, page[-1].id)
