"""What is known here: the texts of the last while, by phone, and who has sent STOP. All of it in memory."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from hub.clock import Clock
from hub.ids import new_id
from hub.ops.local.twilio_stub.message import Direction, Message, MessageStatus
from hub.ops.local.twilio_stub.refusals import UNSUBSCRIBED, Refusal, refuse

_KEPT = 50_000
"""Texts that are remembered; beyond, the oldest is forgotten. About a kilobyte each."""
_STOPPED_KEPT = 50_000

# The whole body, in any case, as Twilio's own filter takes it.
_STOP = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "cancel", "revoke", "optout"})
_START = frozenset({"start", "yes", "unstop"})
_HELP = frozenset({"help", "info"})

OptOutWord = Literal["STOP", "START", "HELP"]
_REPLIES: dict[OptOutWord, str] = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe.",
}


@dataclass(frozen=True)
class Sending:
    """A text as it is asked to be sent."""

    to: str
    sender: str
    body: str
    callback: str | None
    text_id: str | None


class Carrier:
    """The texts between our lines and everybody's phones."""

    def __init__(self, lines: Sequence[str], clock: Clock) -> None:
        self.lines = tuple(dict.fromkeys(lines))
        self.change = 0
        """Counts what happened, so that a page knows when it is out of date."""
        self._clock = clock
        self._texts: OrderedDict[str, Message] = OrderedDict()
        self._by_phone: OrderedDict[str, deque[Message]] = OrderedDict()
        self._stopped: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._numbers = 0
        self._changed = asyncio.Event()

    def accept(self, text: Sending) -> Message | Refusal:
        """Take a text to a phone, or say why not."""
        if refusal := refuse(text.to, text.sender, text.body, self.lines):
            return refusal
        if (text.to, text.sender) in self._stopped:
            return UNSUBSCRIBED
        return self._keep("outbound-api", text, "queued")

    def answered(self, phone: str, line: str, body: str) -> Message | None:
        """Take what a webhook answers to a phone; None when that phone has sent STOP, and so gets nothing."""
        if (phone, line) in self._stopped:
            return None
        return self._keep("outbound-reply", Sending(phone, line, body, None, None), "delivered")

    def receive(self, phone: str, line: str, body: str) -> Message:
        """Take a text from a phone. STOP, START and HELP have their effect at once, and an answer of the carrier's."""
        message = self._keep("inbound", Sending(line, phone, body, None, None), "received")
        word = opt_out_word(body)
        if word == "STOP":
            self._stopped[phone, line] = None
            if len(self._stopped) > _STOPPED_KEPT:
                self._stopped.popitem(last=False)
        if word == "START":
            self._stopped.pop((phone, line), None)
        if word:
            self._keep("outbound-reply", Sending(phone, line, _REPLIES[word], None, None), "delivered")
        return message

    def advance(self, message: Message, status: MessageStatus, error_code: int | None = None) -> None:
        """Say how far a text has come."""
        message.status, message.error_code, message.updated_at = status, error_code, self._clock()
        if status == "sent":
            message.sent_at = message.updated_at
        self._ring()

    def by_sid(self, sid: str) -> Message | None:
        """Return the text."""
        return self._texts.get(sid)

    def latest_first(self, to: str | None = None) -> list[Message]:
        """Return the remembered texts, those of one phone or (a copy of) all, the latest first."""
        return list(reversed(self._texts.values() if to is None else self._by_phone.get(to, ())))

    def accepted_after(self, number: int, limit: int) -> list[Message]:
        """Return the next texts that were accepted from the hub after the one with this number."""
        later = (each for each in self._texts.values() if each.number > number and each.direction == "outbound-api")
        return list(islice(later, limit))

    def phones(self, limit: int) -> list[Message]:
        """Return the last text of each phone, that of the most recent phone first."""
        return [self._by_phone[phone][-1] for phone in islice(reversed(self._by_phone), limit)]

    def conversation(self, phone: str, limit: int) -> list[Message]:
        """Return the last texts from and to a phone, in their order."""
        return list(reversed(list(islice(reversed(self._by_phone.get(phone, ())), limit))))

    def stopped(self, phone: str) -> list[str]:
        """Return the lines from which this phone wants no texts."""
        return [line for line in self.lines if (phone, line) in self._stopped]

    async def until_changed(self, since: int) -> int:
        """Return the count of changes as soon as it is not `since`."""
        while self.change == since:
            await self._changed.wait()
        return self.change

    def _keep(self, direction: Direction, text: Sending, status: MessageStatus) -> Message:
        self._numbers += 1
        message = Message(
            number=self._numbers,
            sid="SM" + new_id().replace("-", ""),
            direction=direction,
            sender=text.sender,
            recipient=text.to,
            body=text.body,
            created_at=self._clock(),
            status=status,
            callback=text.callback,
            text_id=text.text_id,
        )
        self._texts[message.sid] = message
        self._by_phone.setdefault(message.phone, deque()).append(message)
        self._by_phone.move_to_end(message.phone)
        if len(self._texts) > _KEPT:
            self._forget_oldest()
        self._ring()
        return message

    def _forget_oldest(self) -> None:
        _, oldest = self._texts.popitem(last=False)
        of_phone = self._by_phone[oldest.phone]
        of_phone.popleft()  # the oldest of all is the oldest of its phone
        if not of_phone:
            del self._by_phone[oldest.phone]

    def _ring(self) -> None:
        self.change += 1
        self._changed.set()
        self._changed = asyncio.Event()


def opt_out_word(body: str) -> OptOutWord | None:
    """Return what a carrier takes this text for, None if for nothing special."""
    word = body.strip().lower()
    if word in _STOP:
        return "STOP"
    if word in _START:
        return "START"
    return "HELP" if word in _HELP else None
