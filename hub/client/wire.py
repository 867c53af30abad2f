"""The JSON between client and hub, in camelCase. Unknown fields are ignored, so that a newer hub may add some."""

from datetime import date
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field

from hub.client.answers import UNREADABLE, Problem
from hub.client.appointment import NamedAppointment, PersonName
from hub.client.commands import Request
from hub.scheduling.schedule import TimeOff, ZoneName
from hub.scheduling.slots import Slot
from hub.scheduling.values import AccountRole, Id, Instant, Value, rfc3339
from hub.scheduling.views import EntryView, ScheduleView

M = TypeVar("M", bound=BaseModel)


class AppointmentEvent(Value):
    """A change of an appointment: its type, the appointment after it, and its number among the doctor's events.

    `seq` counts the events of a doctor, and `prev` is the `seq` before it. So a client that gets all events of a doctor
    can detect a gap.
    """

    type: str
    appointment: NamedAppointment
    seq: int
    prev: int

    @property
    def doctor_id(self) -> str:
        """The doctor whose events `seq` counts."""
        return self.appointment.doctor_id


class CalendarEvent(Value):
    """A change of a doctor's own hours, sent to that doctor; `calendar` is the state after it."""

    type: str
    calendar: ScheduleView
    seq: int
    prev: int

    @property
    def doctor_id(self) -> str:
        """The doctor whose events `seq` counts."""
        return self.calendar.doctor_id


class WaitingEntry(EntryView):
    """An entry of the waitlist, with the `patient` for staff, and with the `doctor` for patients.

    `place` is the place in the doctor's line, 1 for the first; None where it is not said, or not waiting any more.
    """

    patient: PersonName | None = None
    doctor: PersonName | None = None
    place: int | None = None


class WaitingEvent(Value):
    """A change of an entry of the waitlist; `entry` is the entry after it."""

    type: str
    entry: WaitingEntry
    seq: int
    prev: int

    @property
    def doctor_id(self) -> str:
        """The doctor whose events `seq` counts."""
        return self.entry.doctor_id


DoctorEvent = AppointmentEvent | CalendarEvent | WaitingEvent
"""An event with a `seq` among the events of a doctor."""


class SyncAnswer(Value):
    """The answer to `sync`: a snapshot, or the events that the client missed, with the position that is reached then.

    A snapshot has all recent appointments of the user, and for a doctor the own hours.
    """

    mode: Literal["snapshot", "resume"]
    position: dict[Id, int]
    appointments: tuple[NamedAppointment, ...] = ()
    events: tuple[DoctorEvent, ...] = ()
    calendar: ScheduleView | None = None


class OwnCalendar(Value):
    """A doctor's own hours, and the future appointments outside them, which stay booked.

    `replayed`: the change had been made before this request, under the same key.
    """

    calendar: ScheduleView
    outside: tuple[NamedAppointment, ...]
    replayed: bool = False


class EnteredTimeOff(Value):
    """Time off that was added, and the future appointments that are now outside the doctor's hours.

    `replayed`: it had been added before this request, under the same key.
    """

    time_off: TimeOff
    outside: tuple[NamedAppointment, ...]
    replayed: bool = False


class Told(Value):
    """What every ack may have: the last event of each doctor that the answer includes."""

    position: dict[Id, int] = Field(default_factory=dict)


class SlotEvent(Value):
    """A slot of a watched day became free or taken, by the doctor's event `seq`."""

    doctor_id: Id
    start: Instant
    available: bool
    seq: int = 0


class Profile(Value):
    """The user of an account."""

    id: Id
    role: AccountRole
    name: str


class SignedIn(Value):
    """The tokens of a new session, and the user."""

    access_token: str
    refresh_token: str
    user: Profile
    password_change_required: bool = False


class SignUpToConfirm(Value):
    """The answer to a sign-up that has to be confirmed by a code."""

    sign_up_id: Id


class PatientCard(Value):
    """A patient as doctors and receptionists see them."""

    id: Id
    name: str
    phone: str | None
    email: str | None
    has_log_in: bool
    joined_into: str | None = None
    """The account with which the patient was joined."""


class JoinConflict(Value):
    """An appointment that stays with the first patient, and why."""

    appointment_id: Id
    start: Instant
    code: str
    detail: str


class JoinedPatient(Value):
    """The account that has the appointments now, how many were moved, and those that stay where they are."""

    patient: PatientCard
    moved: int
    conflicts: tuple[JoinConflict, ...]


class DoctorCard(Value):
    """A doctor as patients see them. Slots are in the time zone `zone`."""

    id: Id
    name: str
    specialty: str | None
    zone: ZoneName


class BoardDoctor(Value):
    """A doctor's day on the board: the slots, and the appointments of every status, both by start."""

    id: Id
    name: str
    zone: ZoneName
    slots: tuple[Slot, ...]
    appointments: tuple[NamedAppointment, ...]


class Board(Value):
    """A day of several doctors, ordered by their names. `position` has the last event of each that is included."""

    date: date
    position: dict[Id, int]
    doctors: tuple[BoardDoctor, ...]


class WatchedDay(Value):
    """The slots of a doctor's calendar day as they are now. Later changes follow as slot events."""

    doctor_id: Id
    day: date
    slots: tuple[Slot, ...]


def parse(model: type[M], data: object) -> M:
    """Return JSON of the hub as a value; unknown fields are ignored. Raises ValidationError."""
    return model.model_validate(data, extra="ignore", by_alias=True, by_name=True)


def is_ok(ack: Any) -> bool:
    """Return whether an ack says that its event succeeded."""
    return isinstance(ack, dict) and ack.get("ok") is True


def request_body(request: Request) -> dict[str, Any]:
    """Return the fields of a command as JSON, without the key: each transport sends that in its own way."""
    command = request.command
    fields = {
        "doctorId": command.doctor_id,
        "appointmentId": command.appointment_id,
        "patientId": command.patient_id,
        "start": command.start and rfc3339(command.start),
        "reason": command.reason,
    }
    return {name: value for name, value in fields.items() if value is not None}


def problem_of(document: object, status: int | None = None, retry_after: float | None = None) -> Problem:
    """Return the problem in a problem document or in the `error` of an ack."""
    error = document if isinstance(document, dict) else {}
    if retry_after is None and isinstance(seconds := error.get("retryAfter"), int):
        retry_after = float(seconds)
    own = error.get("appointmentId")
    return Problem(
        code=str(error.get("code", UNREADABLE)),
        detail=" ".join([str(error.get("detail", "")), *_field_errors(error.get("errors"))]),
        status=status,
        retry_after=retry_after,
        appointment_id=own if isinstance(own, str) else None,
    )


def _field_errors(errors: object) -> list[str]:
    """Return what is wrong with each field, as sentences."""
    found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return [f"{each.get('pointer')}: {each.get('detail')}." for each in found]
