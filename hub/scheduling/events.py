"""What happened: past tense, told apart by `type`, one entry each in the history of an appointment or a timetable."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hub.scheduling.schedule import Shift, TimeOff
from hub.scheduling.values import Actor, Id, Instant, Reason, Value

EventType = Literal[
    "booked", "confirmed", "cancelled", "completed", "no_show", "rescheduled", "reminded", "reminder_missed"
]


class _Event(Value):
    """Where an event stands in its doctor's history.

    `seq` counts up per doctor from 1; `prev` is the doctor's previous `seq` (0 at the first), so that a reader sees
    a gap at once. `command_id` is the command that caused it and `fingerprint` what that command asked.
    """

    seq: int
    prev: int
    at: Instant
    by: Actor
    command_id: Id
    fingerprint: str


class AppointmentBooked(_Event):
    """A slot was taken."""

    type: Literal["booked"] = "booked"
    doctor_id: Id
    patient_id: Id
    start: Instant
    reason: Reason | None = None


class AppointmentConfirmed(_Event):
    """The patient will come."""

    type: Literal["confirmed"] = "confirmed"


class AppointmentCancelled(_Event):
    """The slot is free again."""

    type: Literal["cancelled"] = "cancelled"


class AppointmentCompleted(_Event):
    """The patient was there."""

    type: Literal["completed"] = "completed"


class AppointmentMissed(_Event):
    """Nobody came."""

    type: Literal["no_show"] = "no_show"


class AppointmentRescheduled(_Event):
    """The appointment moved from `previous_start` to `start`."""

    type: Literal["rescheduled"] = "rescheduled"
    previous_start: Instant
    start: Instant


class PatientReminded(_Event):
    """The reminder is due now: its text follows from this event."""

    type: Literal["reminded"] = "reminded"


class ReminderMissed(_Event):
    """The reminder came due while nothing ran, and now it is too late to be of use."""

    type: Literal["reminder_missed"] = "reminder_missed"


Event = (
    AppointmentBooked
    | AppointmentConfirmed
    | AppointmentCancelled
    | AppointmentCompleted
    | AppointmentMissed
    | AppointmentRescheduled
    | PatientReminded
    | ReminderMissed
)
TaggedEvent = Annotated[Event, Field(discriminator="type")]
EventAdapter: TypeAdapter[Event] = TypeAdapter(TaggedEvent)


class HoursChanged(_Event):
    """The doctor has other weekly hours from now on."""

    type: Literal["hours_changed"] = "hours_changed"
    shifts: tuple[Shift, ...]


class TimeOffAdded(_Event):
    """The doctor will be away."""

    type: Literal["time_off_added"] = "time_off_added"
    time_off: TimeOff


class TimeOffRemoved(_Event):
    """The doctor will not be away after all."""

    type: Literal["time_off_removed"] = "time_off_removed"
    time_off_id: Id


class DoctorDisabled(_Event):
    """The doctor takes no new appointments; those that exist stay."""

    type: Literal["disabled"] = "disabled"


class DoctorEnabled(_Event):
    """The doctor takes appointments again."""

    type: Literal["enabled"] = "enabled"


ScheduleEvent = HoursChanged | TimeOffAdded | TimeOffRemoved | DoctorDisabled | DoctorEnabled
"""What happens to a doctor's timetable; it has its `seq` among the events of the doctor's appointments."""
TaggedScheduleEvent = Annotated[ScheduleEvent, Field(discriminator="type")]
AnyEvent = Event | ScheduleEvent
"""An event of a doctor's history."""
