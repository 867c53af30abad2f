"""One text of the outbox: what is to be sent to whom, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from hub import ids
from hub.scheduling.values import Id, Instant, Value

Line = Literal["patient", "doctor"]
"""Which of our two numbers speaks, and so the role of who is spoken to."""

TextKind = Literal["booked", "reminder", "rescheduled", "cancelled"]

SkipReason = Literal["no_phone", "opted_out", "too_late", "cancelled", "moved", "over", "unknown_appointment"]
"""Why a text was not sent, in a word of ours."""


class TextStatus(StrEnum):
    """How far a text has come. It moves up by `RANK` only, except when a try is known to have sent nothing."""

    PLANNED = "planned"
    SENDING = "sending"
    """Claimed, stored before the POST: after a crash nobody knows whether Twilio has it."""
    UNKNOWN = "unknown"
    """Twilio was asked and did not answer clearly."""
    SKIPPED = "skipped"
    RECORDED = "recorded"
    """Not sent, because this hub has no way to send."""
    SENT = "sent"
    """Twilio has it. For some carriers this is the last word."""
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    OPTED_OUT = "opted_out"
    """Refused, because the recipient has sent STOP."""
    DELIVERED = "delivered"


RANK: Mapping[TextStatus, int] = {
    TextStatus.PLANNED: 0,
    TextStatus.SENDING: 1,
    TextStatus.UNKNOWN: 2,
    # Below `sent`: of a text that was given up while its fate was unknown, a callback may still say that it went out.
    TextStatus.SKIPPED: 3,
    TextStatus.RECORDED: 3,
    TextStatus.SENT: 4,
    TextStatus.FAILED: 5,
    TextStatus.UNDELIVERED: 5,
    TextStatus.OPTED_OUT: 5,
    # On top: of a text that went out twice, one that arrived is what counts.
    TextStatus.DELIVERED: 6,
}

UNSETTLED = frozenset({TextStatus.SENDING, TextStatus.UNKNOWN})
"""Twilio may have it or not."""
REACHED_NOBODY = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED, TextStatus.OPTED_OUT})


def statuses_below(status: TextStatus) -> frozenset[TextStatus]:
    """Return the statuses that a text may move up from to this one."""
    return frozenset(other for other in TextStatus if RANK[other] < RANK[status])


class Text(Value):
    """A text to one person about one event. Its id follows from the event and the person, so it is planned once.

    `phone` is E.164 as it was at planning, None for somebody without one. `seq` and `version` are the doctor's and the
    appointment's at the event, `start` the instant that the text speaks of. `attempts` counts the claims, `repairs`
    those of them that followed a try of which Twilio did not say clearly whether it went out. It is not sent before
    `not_before`, nor at or after `useless_after`. `error_code` is Twilio's, `reason` a word of ours.
    `again_of` is the text that this one repeats, because a carrier could not deliver that one.
    """

    id: Id
    kind: TextKind
    line: Line
    user_id: Id
    phone: str | None
    appointment_id: Id
    doctor_id: Id
    seq: int
    version: int
    start: Instant
    body: str
    status: TextStatus
    not_before: Instant
    useless_after: Instant
    created_at: Instant
    updated_at: Instant
    attempts: int = 0
    repairs: int = 0
    sid: str | None = None
    error_code: int | None = None
    reason: SkipReason | None = None
    again_of: Id | None = None

    @property
    def reached_nobody(self) -> bool:
        """Whether somebody should be told in another way, as far as is known."""
        return self.status in REACHED_NOBODY or (
            self.status is TextStatus.SKIPPED and self.reason in {"no_phone", "opted_out"}
        )


@dataclass(frozen=True)
class StatusUpdate:
    """What has become of a text. `error_code` is Twilio's, `reason` a word of ours; None says nothing new."""

    status: TextStatus
    sid: str | None = None
    error_code: int | None = None
    reason: SkipReason | None = None


def text_id(doctor_id: str, seq: int, user_id: str) -> str:
    """Return the id of the text about a doctor's event `seq` to a person: the same whoever plans it."""
    return ids.derived_id("text", doctor_id, str(seq), user_id)


def repetition_id(of: str) -> str:
    """Return the id of the one repetition that a text may have."""
    return ids.derived_id("text again", of)


def repetition_of(text: Text, now: datetime, not_before: datetime) -> Text | None:
    """Return the one repetition of a text that the carrier could not deliver; None when there is none (left) to make.

    A text of its own: what became of the first one stays in the record, and late callbacks about it stay with it.
    """
    if text.again_of is not None or not_before >= text.useless_after:
        return None
    return text.model_copy(
        update={
            "id": repetition_id(text.id),
            "again_of": text.id,
            "status": TextStatus.PLANNED,
            "not_before": not_before,
            "created_at": now,
            "updated_at": now,
            "attempts": 0,
            "repairs": 0,
            "sid": None,
            "error_code": None,
        },
    )
