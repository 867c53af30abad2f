"""What the hub asks of its store about texts: the outbox, how far planning has come, what came in, who wants none.

As in `hub.records.ports`: every method may raise `StoreUnavailable` and `BrokenRecord`; instants are aware, UTC.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.texting.inbound_text import InboundText
from hub.texting.text import Line, StatusUpdate, Text


class TextRecords(Protocol):
    """The outbox, which is also the log of what was sent."""

    async def add_all(self, texts: Sequence[Text]) -> int:
        """Write the texts that are not there yet and return how many that were; the others stay as they are."""

    async def by_id(self, text_id: str) -> Text | None:
        """Return the text."""

    async def by_sid(self, sid: str) -> Text | None:
        """Return the text that Twilio knows under this SID."""

    async def of_appointment(self, appointment_id: str) -> list[Text]:
        """Return the texts about an appointment, in the order in which they were planned."""

    async def reminders_to(self, user_id: str, since: datetime) -> list[Text]:
        """Return the reminders to a person of appointments that start at `since` or later, the latest planned first."""

    async def not_delivered(self, doctor_id: str, since: datetime) -> list[Text]:
        """Return what the doctor's side should know of: texts planned at `since` or later that reached nobody.

        Those are failed, undelivered, opted out, and skipped for want of a phone or after a STOP; the latest first.
        """

    async def due(self, line: Line, until: datetime, limit: int) -> list[Text]:
        """Return at most `limit` planned texts of a line with `not_before` up to `until`, the longest waiting first."""

    async def sent_between(self, line: Line, after: datetime, until: datetime) -> list[Text]:
        """Return the texts of a line of which `sent` is the last word and whose `not_before` is in (after, until]."""

    async def unsettled(self, until: datetime) -> list[Text]:
        """Return the texts that are `sending` or `unknown` and were last touched at `until` or before."""

    async def claim(self, text: Text, now: datetime) -> Text | None:
        """Move a planned text to `sending` and count the try; None when somebody else has moved it since it was read.

        Only one claim of a try succeeds, whoever races. Twilio is asked after this has returned a text, never before.
        """

    async def settle(self, text_id: str, news: StatusUpdate, now: datetime) -> bool:
        """Move a text up to what the news says; return whether it moved. What has come as far or further stays there.

        The news' SID is kept by a text that has none, moved or not; the rest only by one that moved.
        """

    async def postpone(
        self, text: Text, not_before: datetime, now: datetime, error_code: int | None = None
    ) -> Text | None:
        """Move a text from `sending` or `unknown` back to `planned`: its last try is known to have sent nothing.

        `text` is as it was claimed or read: None when it has moved since, or has been claimed again.
        """

    async def repair(self, text: Text, now: datetime) -> Text | None:
        """Move a text from `sending` or `unknown` back to `planned`, due at once, and count a repair.

        For one that Twilio, asked long enough after the try, does not know of. None as for `postpone`.
        """


class TextPositions(Protocol):
    """Per doctor the last `seq` whose texts are in the outbox: texts follow from the record, not from the broker."""

    async def read(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the position of each doctor; 0 for one of whom no texts have been planned."""

    async def advance(self, positions: Mapping[str, int]) -> None:
        """Move each doctor's position up to the one given; one that is further stays. At least one.

        Only after the texts have been added.
        """


class InboundTexts(Protocol):
    """What came in. Twilio may bring the same message twice."""

    async def receive(self, message: InboundText) -> InboundText:
        """Keep a message and return it; return what is stored when there is one of this id already.

        `answer` tells whether it has been dealt with. One that has not is dealt with again, under the same command id.
        """

    async def answered(self, message_id: str, answer: str) -> None:
        """Keep what the sender was told; the first answer stays."""


class OptOuts(Protocol):
    """Who has sent STOP to which of our numbers: what carriers and Twilio block is the pair."""

    async def add(self, phone: str, our_number: str, now: datetime) -> None:
        """Remember that `phone` wants no texts from `our_number`; adding it twice is fine."""

    async def remove(self, phone: str, our_number: str) -> None:
        """Forget it: they have sent START."""

    async def has(self, phone: str, our_number: str) -> bool:
        """Return whether `phone` wants no texts from `our_number`."""


@dataclass(frozen=True)
class LineHalt:
    """Carriers, or Twilio after it had taken a text, kept it back for a reason that the clinic has to mend.

    `code` is Twilio's, `at` when it was told of the last time.
    """

    code: int
    at: datetime


class LineHalts(Protocol):
    """The last such report about each of our numbers. The api hears of it, the sender obeys."""

    async def put(self, our_number: str, code: int, now: datetime) -> None:
        """Keep that texts from this number are kept back."""

    async def latest(self, our_number: str) -> LineHalt | None:
        """Return the last report about this number."""


class TextStore(Protocol):
    """What a report about a text may change."""

    @property
    def texts(self) -> TextRecords:
        """The outbox."""

    @property
    def opt_outs(self) -> OptOuts:
        """Who wants no texts."""

    @property
    def line_halts(self) -> LineHalts:
        """From which of our numbers texts are kept back."""
