"""What becomes of a doctor's day when the doctor is late or away: which appointments move, and to where.

The plan of a request is stored before anything is changed. So a repetition after a crash goes on with the same
appointments, and leaves alone what was booked or moved there since.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Self

from hub.scheduling.appointment import Appointment
from hub.scheduling.schedule import Schedule, zone
from hub.scheduling.values import Id, Instant, Value


class PlannedChange(Value):
    """An appointment that starts at `start` and is to be moved to `to`, or cancelled if `to` is None."""

    appointment_id: Id
    patient_id: Id
    start: Instant
    to: Instant | None = None


class DayPlan(Value):
    """The plan of one request, in the order in which it is carried out.

    `id` follows from the person and the idempotency key. `content` says what was asked: a request with the same key and
    another content is another request.
    """

    id: Id
    content: str
    changes: tuple[PlannedChange, ...]
    created_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, id_: str, content: str, changes: Iterable[PlannedChange], now: datetime) -> Self:
        """Return a plan that is stored for `KEPT_FOR`."""
        return cls(id=id_, content=content, changes=tuple(changes), created_at=now, expires_at=now + KEPT_FOR)


KEPT_FOR = timedelta(days=31)
"""How long a plan is stored: a request can be repeated for as long."""


def moved_by(appointments: Iterable[Appointment], minutes: int) -> list[PlannedChange]:
    """Return the plan that moves each active appointment by these minutes, later or (negative) earlier.

    Those in front move first, so that each finds the slot free that the one before it has left.
    """
    by = timedelta(minutes=minutes)
    in_order = sorted(_active(appointments), key=lambda each: each.start, reverse=minutes > 0)
    return [_planned(each, each.start + by) for each in in_order]


def moved_to(schedule: Schedule, appointments: Iterable[Appointment], day: date) -> list[PlannedChange]:
    """Return the plan that moves each active appointment to the same time of the doctor's clock on another day."""
    here = zone(schedule.zone)

    def on_day(start: datetime) -> datetime:
        local = start.astimezone(here)
        return datetime.combine(day, local.time(), here).replace(fold=local.fold)

    return [_planned(each, on_day(each.start)) for each in sorted(_active(appointments), key=lambda each: each.start)]


def cancelled(appointments: Iterable[Appointment]) -> list[PlannedChange]:
    """Return the plan that cancels each active appointment."""
    return [_planned(each, None) for each in sorted(_active(appointments), key=lambda each: each.start)]


def _active(appointments: Iterable[Appointment]) -> Iterable[Appointment]:
    return (each for each in appointments if each.active)


def _planned(appointment: Appointment, to: datetime | None) -> PlannedChange:
    return PlannedChange(
        appointment_id=appointment.id, patient_id=appointment.patient_id, start=appointment.start, to=to
    )
