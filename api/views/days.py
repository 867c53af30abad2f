"""The slots of a doctor's calendar day, as REST and the watches answer them."""

from datetime import date, datetime

from api.http.encoded import Encoded
from api.views.doctor_view import DoctorView, encoded_slots
from hub.records.ports import AppointmentRecords
from hub.scheduling.slots import availability


async def slots_on(view: DoctorView, day: date, now: datetime, appointments: AppointmentRecords) -> Encoded:
    """Return the slots of the day at `now`, as JSON.

    A day before the window of the view is read from the record. Nothing is booked, moved or cancelled there any more.
    Raises `StoreUnavailable`.
    """
    if (slots := view.slots(day, now)) is not None:
        return slots
    schedule = view.schedule
    taken = await appointments.taken_starts(schedule.id, *schedule.day_bounds(day))
    return encoded_slots(availability(schedule, schedule.starts_of(day), taken, now))
