"""The events, told apart by `type`. Each is one entry in the history of an appointment or of a doctor's schedule."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hub.scheduling.event_fields import EventFields
from hub.scheduling.schedule import Shift, TimeOff
from hub.scheduling.values import Id, Instant, Reason
from hub.scheduling.waitlist_events import WaitlistEvent

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
    "patient_erased",
    "offered",
    "accepted",
    "declined",
    "lapsed",
]


class AppointmentBooked(EventFields):
    """The patient booked a slot."""

    type: Literal["booked"] = "booked"
    doctor_id: Id
    patient_id: Id
    start: Instant
    reason: Reason | None = None


class AppointmentConfirmed(EventFields):
    """The patient will come, somebody confirmed."""

    type: Literal["confirmed"] = "confirmed"


class AppointmentCancelled(EventFields):
    """The appointment was cancelled; its slot is free."""

    type: Literal["cancelled"] = "cancelled"
    reason: Reason | None = None


class AppointmentCompleted(EventFields):
    """The patient was there."""

    type: Literal["completed"] = "completed"


class AppointmentMissed(EventFields):
    """The patient did not come."""

    type: Literal["no_show"] = "no_show"


class AppointmentRescheduled(EventFields):
    """The appointment moved from `previous_start` to `start`."""

    type: Literal["rescheduled"] = "rescheduled"
    previous_start: Instant
    start: Instant


class PatientCheckedIn(EventFields):
    """The patient arrived. A no-show becomes confirmed again."""

    type: Literal["checked_in"] = "checked_in"


class PatientCalledIn(EventFields):
    """The patient was called into the room."""

    type: Literal["called_in"] = "called_in"


class VisitUndone(EventFields):
    """The last step of the visit was undone: called in becomes arrived, arrived becomes not yet there."""

    type: Literal["visit_undone"] = "visit_undone"


class PatientJoined(EventFields):
    """The patient was joined with another account, which has the appointment now."""

    type: Literal["patient_joined"] = "patient_joined"
    previous_patient_id: Id
    patient_id: Id


class PatientErased(EventFields):
    """The patient's data was erased: what was said at the booking and the cancellation is gone, also from the history.

    The patient's id stays, so that figures and histories stay whole.
    """

    type: Literal["patient_erased"] = "patient_erased"


class PatientReminded(EventFields):
    """The reminder became due. This event causes its text."""

    type: Literal["reminded"] = "reminded"


class ReminderMissed(EventFields):
    """The reminder became due while no agents process ran, and it is too late to be of use."""

    type: Literal["reminder_missed"] = "reminder_missed"


class SlotOffered(EventFields):
    """The free slot at `start` was offered to the patient of the entry `entry_id`, who can accept it before `until`.

    `out_of_turn`: the clinic has chosen the entry; else it was the first one that fitted. `without_text`: it was made
    outside the hours for texts, because the patient was connected, and no text tells it.
    """

    type: Literal["offered"] = "offered"
    doctor_id: Id
    patient_id: Id
    entry_id: Id
    start: Instant
    until: Instant
    out_of_turn: bool = False
    without_text: bool = False


class OfferAccepted(EventFields):
    """The patient takes the offered slot: from now on it is an appointment like any other."""

    type: Literal["accepted"] = "accepted"


class OfferDeclined(EventFields):
    """The patient passes; the slot is free again."""

    type: Literal["declined"] = "declined"


class OfferLapsed(EventFields):
    """Nobody has accepted the offer in time, or the doctor does not work then any more; the slot is free again."""

    type: Literal["lapsed"] = "lapsed"


OfferEvent = SlotOffered | OfferAccepted | OfferDeclined | OfferLapsed
"""An event of an offer from the waitlist."""
BookingEvent = (
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
    | PatientErased
)
"""An event of an appointment that was booked, or of an offer that was accepted."""
Event = BookingEvent | OfferEvent
TaggedEvent = Annotated[Event, Field(discriminator="type")]
EventAdapter: TypeAdapter[Event] = TypeAdapter(TaggedEvent)


class HoursChanged(EventFields):
    """The doctor's weekly hours were replaced."""

    type: Literal["hours_changed"] = "hours_changed"
    shifts: tuple[Shift, ...]


class TimeOffAdded(EventFields):
    """Time off was added."""

    type: Literal["time_off_added"] = "time_off_added"
    time_off: TimeOff


class TimeOffRemoved(EventFields):
    """Time off was removed."""

    type: Literal["time_off_removed"] = "time_off_removed"
    time_off_id: Id


class DoctorDisabled(EventFields):
    """The doctor takes no new appointments; those that exist stay."""

    type: Literal["disabled"] = "disabled"


class DoctorEnabled(EventFields):
    """The doctor takes appointments again."""

    type: Literal["enabled"] = "enabled"


ScheduleEvent = HoursChanged | TimeOffAdded | TimeOffRemoved | DoctorDisabled | DoctorEnabled
"""An event of a doctor's schedule. It takes its `seq` from the same numbers as the events of the appointments."""
TaggedScheduleEvent = Annotated[ScheduleEvent, Field(discriminator="type")]
AnyEvent = Event | ScheduleEvent | WaitlistEvent
"""An event of a doctor's history."""
