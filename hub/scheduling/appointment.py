"""One appointment: its state, its next deadline and its history."""

from datetime import datetime, timedelta
from typing import Literal

from hub.scheduling.events import Event, TaggedEvent
from hub.scheduling.values import ACTIVE, HOLDING, Id, Instant, Reason, Status, Value, Visit

REMINDER_LEAD = timedelta(hours=3)
"""How long before the start the patient is reminded."""
NO_SHOW_DELAY = timedelta(minutes=15)
"""How long after the start an appointment that is still active becomes a no-show, unless the patient has arrived."""
CHECK_IN_LEAD = timedelta(hours=3)
"""How long before the start a patient can be checked in."""
WALK_IN_WINDOW = timedelta(minutes=15)
"""How long after the start of the running half hour the clinic can still book it. Not longer than `NO_SHOW_DELAY`: the
deadline of the new appointment must not have passed already."""

DueKind = Literal["reminder", "no_show", "offer"]


class Appointment(Value):
    """The whole of an appointment. Its state is what `hub.scheduling.apply` makes of its history.

    `due` is the instant of the next deadline and `due_kind` says which deadline it is; both are None when there is
    none. `version` is the number of events. The record refuses a write that was decided on another version.
    `arrived_at` is set exactly when there is a visit, `in_room_at` when it has come to the room. A completed
    appointment keeps its visit. `entry_id` is the entry of the waitlist to which the slot was offered, None for an
    appointment that was booked.

    `place` is a number, from 0, that no other appointment of the patient has: there are as many numbers as a patient
    may have appointments to come. The actor gives it with the booking; it is no part of the history. It ends when the
    appointment does, or when the patient arrives. None: the appointment does not count.
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
    entry_id: Id | None
    due: Instant | None
    due_kind: DueKind | None
    history: tuple[TaggedEvent, ...]
    place: int | None = None

    @property
    def active(self) -> bool:
        """Whether the appointment is going to take place."""
        return self.status in ACTIVE

    @property
    def holds_slot(self) -> bool:
        """Whether nobody else can have the slot, nor the patient another appointment at that time."""
        return self.status in HOLDING

    @property
    def offered_until(self) -> datetime | None:
        """When the offer ends; None unless it is an open offer."""
        return self.due if self.status is Status.OFFERED else None

    @property
    def erased(self) -> bool:
        """Whether the patient was erased and nothing that was said is left."""
        said = (self.reason, *(getattr(event, "reason", None) for event in self.history))
        return any(event.type == "patient_erased" for event in self.history) and not any(said)

    @property
    def last(self) -> Event:
        """The latest event."""
        return self.history[-1]


def first_deadline(start: datetime, at: datetime) -> tuple[datetime, DueKind]:
    """Return the first deadline of an appointment that took the slot at `start` at the instant `at`.

    An appointment that was made less than three hours ahead gets no reminder: the text about the booking says it all.
    """
    reminder = start - REMINDER_LEAD
    return (reminder, "reminder") if at <= reminder else (start + NO_SHOW_DELAY, "no_show")
