"""How things look between client and hub: JSON in camelCase, read leniently, so that a newer hub may say more."""

from datetime import date
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from hub.client.answers import UNREADABLE, Refusal
from hub.client.asking import Ask
from hub.scheduling.schedule import TimeOff, ZoneName
from hub.scheduling.slots import Slot
from hub.scheduling.values import Id, Instant, Value, rfc3339
from hub.scheduling.views import AppointmentView, ScheduleView

M = TypeVar("M", bound=BaseModel)


class AppointmentEvent(Value):
    """What the hub tells of a change: its type, the appointment right after it, and its place in the doctor's events.

    `seq` counts up per doctor and `prev` is the one before, so that who sees all of a doctor's events sees a gap.
    """

    type: str
    appointment: AppointmentView
    seq: int
    prev: int

    @property
    def doctor_id(self) -> str:
        """Whose events it is one of."""
        return self.appointment.doctor_id


class CalendarEvent(Value):
    """What the hub tells a doctor of a change of the own hours; `calendar` is right after it."""

    type: str
    calendar: ScheduleView
    seq: int
    prev: int

    @property
    def doctor_id(self) -> str:
        """Whose events it is one of."""
        return self.calendar.doctor_id


Told = AppointmentEvent | CalendarEvent
"""An event with a place in a doctor's history."""


class Synced(Value):
    """What `sync` says: how things stand, or the events that were missed, and how far that is.

    A snapshot has all of one's recent appointments; a doctor's has the own hours, too.
    """

    mode: Literal["snapshot", "resume"]
    position: dict[Id, int]
    appointments: tuple[AppointmentView, ...] = ()
    events: tuple[Told, ...] = ()
    calendar: ScheduleView | None = None


class OwnCalendar(Value):
    """A doctor's own hours, and the appointments to come that lie outside them: they stay."""

    calendar: ScheduleView
    outside: tuple[AppointmentView, ...]


class EnteredTimeOff(Value):
    """Time off that has been entered, and the appointments to come that lie outside the doctor's hours now."""

    time_off: TimeOff
    outside: tuple[AppointmentView, ...]


class SlotEvent(Value):
    """A slot of a watched day is free or taken now."""

    doctor_id: Id
    start: Instant
    available: bool


class Profile(Value):
    """Whose account it is."""

    id: Id
    role: Literal["doctor", "patient"]
    name: str


class SignedIn(Value):
    """Tokens, and whose they are."""

    access_token: str
    refresh_token: str
    user: Profile


class DoctorCard(Value):
    """A doctor as patients see one; times of the day are by the clock of `zone`."""

    id: Id
    name: str
    specialty: str | None
    zone: ZoneName


class WatchedDay(Value):
    """The slots of a doctor's calendar day as they are now; changes of them follow as slot events."""

    doctor_id: Id
    day: date
    slots: tuple[Slot, ...]


def read(model: type[M], said: object) -> M:
    """Return what the hub said as a value; fields that we do not know are left out. Raises ValidationError."""
    return model.model_validate(said, extra="ignore", by_alias=True, by_name=True)


def written(ask: Ask) -> dict[str, Any]:
    """Return what a command asks for, as JSON; not the key, which each way carries in its own place."""
    wish = ask.wish
    asked = {
        "doctorId": wish.doctor_id,
        "appointmentId": wish.appointment_id,
        "patientId": wish.patient_id,
        "start": wish.start and rfc3339(wish.start),
        "reason": wish.reason,
    }
    return {name: value for name, value in asked.items() if value is not None}


def refusal_of(said: object, status: int | None = None, retry_after: float | None = None) -> Refusal:
    """Return the refusal that a problem document or an ack's `error` says."""
    error = said if isinstance(said, dict) else {}
    if retry_after is None and isinstance(told := error.get("retryAfter"), int):
        retry_after = float(told)
    return Refusal(str(error.get("code", UNREADABLE)), str(error.get("detail", "")), status, retry_after)
