"""The events, told apart by `type`. Each is one entry in the history of an appointment or of a doctor's schedule."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hub.scheduling.schedule import Shift, TimeOff
from hub.scheduling.values import Actor, Id, Instant, Reason, Value

EventType = Literal[
    "booked",
    "confirmed",
    "cancelled",
    "completed",
    "no_show",
    "rescheduled",
    "reminded",
    "reminder_missed",
    "checked_in",
    "called_in",
    "visit_undone",
    "patient_joined",
]


class _Event(Value):
    """The fields of every event.

    `seq` numbers the events of a doctor from 1. `prev` is the doctor's previous `seq`, 0 for the first event, so that a
    reader detects a missing event. `command_id` and `fingerprint` are those of the command that caused the event.
    """

    seq: int
    prev: int
    at: Instant
    by: Actor
    command_id: Id
    fingerprint: str


class AppointmentBooked(_Event):
    """The patient booked a slot."""

    type: Literal["booked"] = "booked"
    doctor_id: Id
    patient_id: Id
    start: Instant
    reason: Reason | None = None


class AppointmentConfirmed(_Event):
    """The patient will come, somebody confirmed."""

    type: Literal["confirmed"] = "confirmed"


class AppointmentCancelled(_Event):
    """The appointment was cancelled; its slot is free."""

    type: Literal["cancelled"] = "cancelled"
    reason: Reason | None = None


class AppointmentCompleted(_Event):
    """The patient was there."""

    type: Literal["completed"] = "completed"


class AppointmentMissed(_Event):
    """The patient did not come."""

    type: Literal["no_show"] = "no_show"


class AppointmentRescheduled(_Event):
    """The appointment moved from `previous_start` to `start`."""

    type: Literal["rescheduled"] = "rescheduled"
    previous_start: Instant
    start: Instant


class PatientCheckedIn(_Event):
    """The patient arrived. A no-show becomes confirmed again."""

    type: Literal["checked_in"] = "checked_in"


class PatientCalledIn(_Event):
    """The patient was called into the room."""

    type: Literal["called_in"] = "called_in"


class VisitUndone(_Event):
    """The last step of the visit was undone: called in becomes arrived, arrived becomes not yet there."""

    type: Literal["visit_undone"] = "visit_undone"


class PatientJoined(_Event):
    """The patient was joined with another account, which has the appointment now."""

    type: Literal["patient_joined"] = "patient_joined"
    previous_patient_id: Id
    patient_id: Id


class PatientReminded(_Event):
    """The reminder became due. This event causes its text."""

    type: Literal["reminded"] = "reminded"


class ReminderMissed(_Event):
    """The reminder became due while no agents process ran, and it is too late to be of use."""

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
    | PatientCheckedIn
    | PatientCalledIn
    | VisitUndone
    | PatientJoined
)
TaggedEvent = Annotated[Event, Field(discriminator="type")]
EventAdapter: TypeAdapter[Event] = TypeAdapter(TaggedEvent)


class HoursChanged(_Event):
    """The doctor's weekly hours were replaced."""

    type: Literal["hours_changed"] = "hours_changed"
    shifts: tuple[Shift, ...]


class TimeOffAdded(_Event):
    """Time off was added."""

    type: Literal["time_off_added"] = "time_off_added"
    time_off: TimeOff


class TimeOffRemoved(_Event):
    """Time off was removed."""

    type: Literal["time_off_removed"] = "time_off_removed"
    time_off_id: Id


class DoctorDisabled(_Event):
    """The doctor takes no new appointments; those that exist stay."""

    type: Literal["disabled"] = "disabled"


class DoctorEnabled(_Event):
    """The doctor takes appointments again."""

    type: Literal["enabled"] = "enabled"


ScheduleEvent = HoursChanged | TimeOffAdded | TimeOffRemoved | DoctorDisabled | DoctorEnabled
"""An event of a doctor's schedule. It takes its `seq` from the same numbers as the events of the appointments."""
TaggedScheduleEvent = Annotated[ScheduleEvent, Field(discriminator="type")]
AnyEvent = Event | ScheduleEvent
"""An event of a doctor's history."""
