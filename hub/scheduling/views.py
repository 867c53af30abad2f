"""An appointment, a doctor's schedule and an entry of the waitlist, as clients see them."""

from pydantic import Field

from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule import Schedule, Shift, TimeOff, ZoneName
from hub.scheduling.values import Id, Instant, Reason, Status, Value, Visit
from hub.scheduling.waitlist_entry import EntryStatus, WaitlistEntry
from hub.scheduling.wish import Between, LocalDate, Weekdays


class AppointmentView(Value):
    """An appointment without its deadlines and its history.

    `visit` says how far the visit has come, None before the patient arrives. `arrived_at`, `in_room_at` and
    `completed_at` are None until then. `offered_until` says when an offer ends that is still open; else it is None.
    """

    id: Id
    doctor_id: Id
    patient_id: Id
    start: Instant
    end: Instant
    status: Status
    version: int
    reason: Reason | None
    created_at: Instant
    visit: Visit | None
    arrived_at: Instant | None
    in_room_at: Instant | None
    completed_at: Instant | None
    offered_until: Instant | None


class ScheduleView(Value):
    """A doctor's schedule: weekly shifts in `zone`, time off, and whether the doctor is disabled."""

    doctor_id: Id
    zone: ZoneName
    shifts: tuple[Shift, ...]
    time_off: tuple[TimeOff, ...]
    disabled: bool


def schedule_view(schedule: Schedule) -> ScheduleView:
    """Return the doctor's own schedule as the doctor sees it."""
    return ScheduleView(
        doctor_id=schedule.id,
        zone=schedule.zone,
        shifts=schedule.shifts,
        time_off=schedule.time_off,
        disabled=schedule.disabled,
    )


def view(appointment: Appointment) -> AppointmentView:
    """Return what the doctor and the patient of the appointment may see of it."""
    return AppointmentView(
        id=appointment.id,
        doctor_id=appointment.doctor_id,
        patient_id=appointment.patient_id,
        start=appointment.start,
        end=appointment.end,
        status=appointment.status,
        version=appointment.version,
        reason=appointment.reason,
        created_at=appointment.created_at,
        visit=appointment.visit,
        arrived_at=appointment.arrived_at,
        in_room_at=appointment.in_room_at,
        completed_at=appointment.completed_at,
        offered_until=appointment.offered_until,
    )


class EntryView(Value):
    """An entry of the waitlist: a patient waits for a time at a doctor, from the day `from` to the day `to`.

    `weekdays` (0 is Monday) and `between` (minutes after midnight by the doctor's clock) are None if any will do.
    """

    id: Id
    doctor_id: Id
    patient_id: Id
    first_day: LocalDate = Field(alias="from")
    last_day: LocalDate = Field(alias="to")
    weekdays: Weekdays | None
    between: Between | None
    status: EntryStatus
    version: int
    created_at: Instant


def entry_view(entry: WaitlistEntry) -> EntryView:
    """Return what the patient and the clinic may see of an entry."""
    return EntryView(
        id=entry.id,
        doctor_id=entry.doctor_id,
        patient_id=entry.patient_id,
        first_day=entry.wish.first_day,
        last_day=entry.wish.last_day,
        weekdays=entry.wish.weekdays,
        between=entry.wish.between,
        status=entry.status,
        version=entry.version,
        created_at=entry.created_at,
    )
