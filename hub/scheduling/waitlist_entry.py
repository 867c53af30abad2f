"""One patient's place in the line of a doctor, with its history."""

from enum import StrEnum

from pydantic import Field

from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.waitlist_events import TaggedWaitlistEvent, WaitlistEvent
from hub.scheduling.wish import Wish


class EntryStatus(StrEnum):
    """The status of an entry. Only `waiting` is open: the entry is in the line."""

    WAITING = "waiting"
    BOOKED = "booked"
    """The patient has accepted an offer."""
    LEFT = "left"
    """The patient does not want to wait any more, or the clinic has taken the patient out."""
    EXPIRED = "expired"
    """The last day of the wish is over."""


class WaitlistEntry(Value):
    """The whole of an entry. Its state is what `hub.scheduling.apply` makes of its history.

    Its events have their `seq` in the doctor's history, so the line is known exactly at each event of the doctor, and
    the `seq` of the first event is the place in the line. Stored documents call the patient `waiter` and the status
    `entryStatus`, so that no query for appointments finds an entry.
    """

    id: Id
    doctor_id: Id
    patient_id: Id = Field(alias="waiter")
    wish: Wish
    status: EntryStatus = Field(alias="entryStatus")
    version: int
    created_at: Instant
    history: tuple[TaggedWaitlistEvent, ...]

    @property
    def waiting(self) -> bool:
        """Whether the entry is in the line."""
        return self.status is EntryStatus.WAITING

    @property
    def joined_seq(self) -> int:
        """The `seq` of the first event: who has the lower one is first."""
        return self.history[0].seq

    @property
    def last(self) -> WaitlistEvent:
        """The latest event."""
        return self.history[-1]
