"""The events of entries of the waitlist. They take their `seq` from the same numbers as the doctor's other events."""

from typing import Annotated, Literal

from pydantic import Field

from hub.scheduling.event_fields import EventFields
from hub.scheduling.values import Id
from hub.scheduling.wish import Wish


class WaitlistJoined(EventFields):
    """The patient waits for a time at this doctor."""

    type: Literal["waitlist_joined"] = "waitlist_joined"
    doctor_id: Id
    patient_id: Id
    wish: Wish


class WaitlistLeft(EventFields):
    """The patient does not wait any more. `by` says whether the patient or the clinic ended it."""

    type: Literal["waitlist_left"] = "waitlist_left"


class WaitlistBooked(EventFields):
    """The patient has accepted the offer `appointment_id`, so the entry has done its work."""

    type: Literal["waitlist_booked"] = "waitlist_booked"
    appointment_id: Id


class WaitlistExpired(EventFields):
    """The last day of the wish is over."""

    type: Literal["waitlist_expired"] = "waitlist_expired"


class WaitlistPatientJoined(EventFields):
    """The patient was joined with another account, which waits now in the same place."""

    type: Literal["waitlist_patient_joined"] = "waitlist_patient_joined"
    previous_patient_id: Id
    patient_id: Id


WaitlistEvent = WaitlistJoined | WaitlistLeft | WaitlistBooked | WaitlistExpired | WaitlistPatientJoined
"""An event of an entry."""
TaggedWaitlistEvent = Annotated[WaitlistEvent, Field(discriminator="type")]
