"""The slots of a doctor's day as every user may see them: whether a slot is free, never who has booked it."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentCompleted,
    AppointmentRescheduled,
    Event,
    OfferDeclined,
    OfferLapsed,
    SlotOffered,
)
from hub.scheduling.schedule import Schedule
from hub.scheduling.values import APPOINTMENT_DURATION, HORIZON, Instant, Value


class Slot(Value):
    """A half hour of a doctor. It is `available` when it can be booked now."""

    start: Instant
    end: Instant
    available: bool


class SlotChange(Value):
    """A change of the slot at `start`, as it is sent to the clients that watch the day."""

    start: Instant
    available: bool


def slots_of(schedule: Schedule, day: date, taken: Collection[datetime], now: datetime) -> list[Slot]:
    """Return the working slots of the doctor's calendar day; `taken` holds the starts that appointments hold."""
    return [
        slot_at(start, available=available)
        for start, available in availability(schedule, schedule.starts_of(day), taken, now)
    ]


def availability(
    schedule: Schedule, starts: Iterable[datetime], taken: Collection[datetime], now: datetime
) -> list[tuple[datetime, bool]]:
    """Return the starts (UTC) of working slots, each with whether it can be booked now."""
    return [(start, _may_be_taken(schedule, start, now) and start not in taken) for start in starts]


def slot_at(start: datetime, *, available: bool) -> Slot:
    """Return the slot that starts then (UTC)."""
    return Slot(start=start, end=start + APPOINTMENT_DURATION, available=available)


def slot_changes(schedule: Schedule, event: Event, after: Appointment) -> tuple[SlotChange, ...]:
    """Return the slots that an event took or freed, as of the instant of the event.

    Completing an appointment before its start frees its slot. A no-show frees nothing, because its slot has begun, and
    for the same reason checking a no-show in takes nothing.
    """
    match event:
        case AppointmentBooked() | SlotOffered():
            return (SlotChange(start=event.start, available=False),)
        case AppointmentCancelled() | AppointmentCompleted() | OfferDeclined() | OfferLapsed() if (
            event.at < after.start
        ):
            return (SlotChange(start=after.start, available=_available(schedule, after.start, event.at)),)
        case AppointmentRescheduled():
            return (
                SlotChange(
                    start=event.previous_start,
                    available=_available(schedule, event.previous_start, event.at),
                ),
                SlotChange(start=event.start, available=False),
            )
        case _:
            return ()


def schedule_slot_changes(
    before: Schedule, after: Schedule, day: date, taken: Collection[datetime], at: datetime
) -> tuple[SlotChange, ...]:
    """Return the slots of a calendar day that a change of the schedule at the instant `at` adds, removes or changes.

    `taken` holds the starts that appointments hold. A removed slot is returned as not available.
    """
    shown = {slot.start: slot.available for slot in slots_of(before, day, taken, at)}
    now = {slot.start: slot.available for slot in slots_of(after, day, taken, at)}
    return tuple(
        SlotChange(start=start, available=now.get(start, False))
        for start in sorted(shown | now)
        if shown.get(start) != now.get(start, False)
    )


def _available(schedule: Schedule, start: datetime, now: datetime) -> bool:
    return _may_be_taken(schedule, start, now) and schedule.works_at(start)


def _may_be_taken(schedule: Schedule, start: datetime, now: datetime) -> bool:
    return not schedule.disabled and now < start <= now + HORIZON
