"""Storage interfaces for texts: outbox, planning positions, inbound texts, opt-outs and line halts.

As in `hub.records.ports`, every method may raise `StoreUnavailable` and `BrokenRecord`. Instants are aware and UTC.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.texting.inbound_text import InboundText
from hub.texting.text import Line, StatusUpdate, Text, UrgentKind


class TextRecords(Protocol):
    """The outbox. It is also the log of sent texts."""

    async def add_all(self, texts: Sequence[Text]) -> int:
        """Insert the texts that do not exist yet and return how many. Existing texts stay unchanged."""

    async def by_id(self, text_id: str) -> Text | None:
        """Return the text."""

    async def by_sid(self, sid: str) -> Text | None:
        """Return the text with this Twilio SID."""

    async def of_appointment(self, appointment_id: str) -> list[Text]:
        """Return the texts about an appointment, in the order in which they were planned."""

    async def to_person(self, user_id: str, since: datetime) -> list[Text]:
        """Return the texts to a person about appointments that start at `since` or later, the last planned first."""

    async def not_delivered(self, doctor_id: str, since: datetime) -> list[Text]:
        """Return the doctor's texts planned at `since` or later that reached nobody, the latest first.

        Those are failed, undelivered and opted-out texts, and texts skipped because of a missing phone or an opt-out.
        """

    async def due(self, line: Line, until: datetime, limit: int, kind: UrgentKind | None = None) -> list[Text]:
        """Return at most `limit` planned texts of a line with `not_before` <= `until`, the longest waiting first.

        With a kind, only its texts are read, whatever else waits.
        """

    async def sent_between(self, line: Line, after: datetime, until: datetime) -> list[Text]:
        """Return the texts of a line with status `sent` and `not_before` in (after, until]."""

    async def unsettled(self, until: datetime) -> list[Text]:
        """Return the texts with status `sending` or `unknown` that were last updated at `until` or before."""

    async def claim(self, text: Text, now: datetime) -> Text | None:
        """Move a planned text to `sending` and count the attempt. Returns None if it has changed since it was read.

        Of concurrent claims of one attempt, only one succeeds. Post to Twilio only after this has returned a text.
        """

    async def settle(self, text_id: str, news: StatusUpdate, now: datetime) -> bool:
        """Move a text up to the status of the update. Returns whether it moved; a status never moves down or sideways.

        A text without a SID takes the update's SID even if it does not move. The other fields apply only if it moves.
        """

    async def postpone(
        self, text: Text, not_before: datetime, now: datetime, error_code: int | None = None
    ) -> Text | None:
        """Move a text from `sending` or `unknown` back to `planned`, because its last attempt sent nothing.

        `text` is the version that was claimed or read. Returns None if it has moved or been claimed again since.
        """

    async def repair(self, text: Text, now: datetime) -> Text | None:
        """Move a text from `sending` or `unknown` back to `planned`, due now, and count a repair.

        Use it for a text that Twilio does not list long enough after the attempt. Returns None as `postpone` does.
        """

    async def delete_before(self, instant: datetime) -> int:
        """Delete the texts whose last planned time is before an instant; return how many."""

    async def delete_of_sign_ups(self, instant: datetime) -> int:
        """Delete the codes of sign-ups that became useless before an instant; return how many."""

    async def erase(self, user_id: str, now: datetime) -> None:
        """Remove numbers and words from the texts to a person. Those that wait get the status `skipped`."""


class TextPositions(Protocol):
    """The planning position of each doctor: the last `seq` whose texts are in the outbox.

    Planning reads events from the record, not from the broker.
    """

    async def read(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the position of each doctor, 0 if no texts have been planned for that doctor."""

    async def advance(self, positions: Mapping[str, int]) -> None:
        """Move each doctor's position up to the given one. A position never moves back. `positions` is not empty.

        Call it only after the texts have been added: after a crash between the two, planning repeats harmlessly.
        """


class InboundTexts(Protocol):
    """Inbound texts. Twilio may deliver the same message twice."""

    async def receive(self, message: InboundText) -> InboundText:
        """Store a message and return it, or return the stored message with this id.

        If its `answer` is None, the message has not been handled to the end: handle it again under the same command id.
        """

    async def bind(self, message_id: str, appointment_id: str) -> str:
        """Store that the message is about an appointment, unless it is about one already. Return the stored id.

        So a message that is delivered again, or twice at once, stays about one appointment.
        """

    async def answered(self, message_id: str, answer: str, *, decided: bool) -> None:
        """Store our reply, and whether it says what has become of the appointment. The first stored reply stays."""

    async def about_appointments(self, phone: str, since: datetime) -> list[InboundText]:
        """Return the messages from the phone that are about an appointment, received at `since` or later.

        The latest comes first.
        """

    async def delete_before(self, instant: datetime) -> int:
        """Delete the messages that were received before an instant; return how many."""

    async def erase(self, phone: str, about: Collection[str] | None) -> None:
        """Remove number and words from messages of a phone: all, or those `about` these appointments."""


class OptOuts(Protocol):
    """Opt-outs: pairs of a phone that sent STOP and our number that received it. Carriers block that pair."""

    async def add(self, phone: str, our_number: str, now: datetime) -> None:
        """Store that `phone` wants no texts from `our_number`. Idempotent."""

    async def remove(self, phone: str, our_number: str) -> None:
        """Delete the opt-out, because the phone sent START."""

    async def forget(self, phone: str) -> None:
        """Delete the opt-outs of a phone. Carriers still know of them."""

    async def has(self, phone: str, our_number: str) -> bool:
        """Return whether `phone` wants no texts from `our_number`."""


@dataclass(frozen=True)
class LineHalt:
    """Carriers or Twilio block the texts of one of our numbers for a reason that the clinic has to correct.

    `code` is Twilio's error code. `at` is the instant of the last report.
    """

    code: int
    at: datetime


class LineHalts(Protocol):
    """The last line halt of each of our numbers. The api writes them; the sender reads them."""

    async def put(self, our_number: str, code: int, now: datetime) -> None:
        """Store that texts from this number are blocked."""

    async def latest(self, our_number: str) -> LineHalt | None:
        """Return the last halt of this number."""


class TextStore(Protocol):
    """The stores that a delivery report may change."""

    @property
    def texts(self) -> TextRecords:
        """The outbox."""

    @property
    def opt_outs(self) -> OptOuts:
        """The opt-outs."""

    @property
    def line_halts(self) -> LineHalts:
        """The halts of our numbers."""
