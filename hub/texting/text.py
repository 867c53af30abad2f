"""One text in the outbox: its recipient, its body and its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, get_args

from hub import ids
from hub.scheduling.values import Id, Instant, Value

Line = Literal["patient", "doctor"]
"""The role of the recipient. Each role has its own sender number."""

OptionalKind = Literal["booked", "reminder", "rescheduled", "cancelled"]
"""What a text about an appointment says that a person can switch off."""
TextKind = Literal["booked", "reminder", "rescheduled", "cancelled", "offer"]
"""What a text about an appointment or an offer says."""
AccountTextKind = Literal["code", "account_changed"]
"""A code that somebody waits for, or news about the account. Nobody can switch these off."""

NO_ACCOUNT: Final = "sign-up"
"""Stands for the person of a text to a phone that no account has: the code of a sign-up."""

UrgentKind = Literal["code", "reminder"]
URGENT: Sequence[UrgentKind] = get_args(UrgentKind)
"""Kinds that leave before all others, whatever waits: somebody waits for a code, and a reminder is soon of no use."""

SkipReason = Literal[
    "no_phone",
    "not_proven",
    "opted_out",
    "too_late",
    "cancelled",
    "moved",
    "over",
    "arrived",
    "erased",
    "unknown_appointment",
]
"""Why the hub did not send a text."""


class TextStatus(StrEnum):
    """The status of a text. It only moves up in `RANK`, unless an attempt is known to have sent nothing."""

    PLANNED = "planned"
    SENDING = "sending"
    """Claimed. Stored before the POST, so after a crash it is unknown whether Twilio has the text."""
    UNKNOWN = "unknown"
    """The POST was made and Twilio did not answer clearly."""
    SKIPPED = "skipped"
    RECORDED = "recorded"
    """Not sent, because Twilio is not set up."""
    SENT = "sent"
    """Twilio accepted the text. Some carriers report nothing after this."""
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    OPTED_OUT = "opted_out"
    """Refused, because the recipient sent STOP."""
    DELIVERED = "delivered"


RANK: Mapping[TextStatus, int] = {
    TextStatus.PLANNED: 0,
    TextStatus.SENDING: 1,
    TextStatus.UNKNOWN: 2,
    # Below `sent`: after a text of unknown outcome was given up, a report may still say that it was sent.
    TextStatus.SKIPPED: 3,
    TextStatus.RECORDED: 3,
    TextStatus.SENT: 4,
    TextStatus.FAILED: 5,
    TextStatus.UNDELIVERED: 5,
    TextStatus.OPTED_OUT: 5,
    # Highest: if a text was sent twice, one delivery is enough.
    TextStatus.DELIVERED: 6,
}

UNSETTLED = frozenset({TextStatus.SENDING, TextStatus.UNKNOWN})
"""Twilio may or may not have these texts."""
REACHED_NOBODY = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED, TextStatus.OPTED_OUT})


def statuses_below(status: TextStatus) -> frozenset[TextStatus]:
    """Return the statuses from which a text may move up to this one."""
    return frozenset(other for other in TextStatus if RANK[other] < RANK[status])


class Text(Value):
    """A text to one person about one event. Its id is derived from the event and the person, so it is planned once.

    A text about an account, or about one that is to be made (`NO_ACCOUNT`), has neither appointment nor doctor: its
    `seq` and `version` are 0, and its `start` is the instant at which it becomes useless.

    `phone` is the E.164 number at planning, None if there was none. `seq` is the doctor's and `version` the
    appointment's at the event. `start` is the appointment start that the text mentions. `attempts` counts all claims.
    `repairs` counts the claims that followed an attempt of unknown outcome. The text is sent at or after `not_before`
    and before `useless_after`. `error_code` is Twilio's. `again_of` is the id of the undelivered text that this one
    repeats.
    """

    id: Id
    kind: TextKind | AccountTextKind
    line: Line
    user_id: Id
    phone: str | None
    appointment_id: Id | None
    doctor_id: Id | None
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
        """Whether the recipient has to be informed in another way, as far as the hub knows."""
        return self.status in REACHED_NOBODY or (
            self.status is TextStatus.SKIPPED and self.reason in {"no_phone", "not_proven", "opted_out"}
        )


@dataclass(frozen=True)
class StatusUpdate:
    """A new status of a text. `error_code` is Twilio's. A field that is None leaves the stored value as it is."""

    status: TextStatus
    sid: str | None = None
    error_code: int | None = None
    reason: SkipReason | None = None


def text_id(doctor_id: str, seq: int, user_id: str) -> str:
    """Return the id of the text to a person about the doctor's event `seq`. Every worker derives the same id."""
    return ids.derived_id("text", doctor_id, str(seq), user_id)


def repetition_id(text_id: str) -> str:
    """Return the id of the one repetition that a text may have."""
    return ids.derived_id("text again", text_id)


def repetition_of(text: Text, now: datetime, not_before: datetime) -> Text | None:
    """Return the one repetition of a text that the carrier could not deliver, or None if it may not be repeated.

    The repetition is a separate text. So the status of the original stays in the record, and late reports about the
    original do not change the repetition.
    """
    if text.again_of is not None or text.phone is None or not_before >= text.useless_after:
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
