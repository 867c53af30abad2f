"""The simulated carrier: recent texts by phone number, and the numbers that have sent STOP. All data is in memory."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from hub.clock import Clock
from hub.ids import new_id
from hub.ops.local.twilio_stub.error_responses import UNSUBSCRIBED, ErrorResponse, find_error
from hub.ops.local.twilio_stub.message import Direction, Message, MessageStatus

MAX_TEXTS = 50_000
"""Texts kept, about a kilobyte each. Beyond that, the oldest text is dropped."""
_MAX_OPT_OUTS = 50_000

# A keyword must be the whole body, in upper or lower case, as in Twilio's own filter.
_STOP = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "cancel", "revoke", "optout"})
_START = frozenset({"start", "yes", "unstop"})
_HELP = frozenset({"help", "info"})

OptOutKeyword = Literal["STOP", "START", "HELP"]
_REPLIES: dict[OptOutKeyword, str] = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe.",
}


@dataclass(frozen=True)
class SendRequest:
    """A request to send a text."""

    to: str
    sender: str
    body: str
    callback: str | None
    text_id: str | None


class Carrier:
    """The texts between the hub's numbers (`lines`) and all phones. At most `max_texts` are kept."""

    def __init__(self, lines: Sequence[str], clock: Clock, max_texts: int = MAX_TEXTS) -> None:
        self.lines = tuple(dict.fromkeys(lines))
        self.change = 0
        """Counts the changes, so that a page can tell when it is out of date."""
        self._clock = clock
        self._max_texts = max_texts
        self._texts: OrderedDict[str, Message] = OrderedDict()
        self._by_phone: OrderedDict[str, deque[Message]] = OrderedDict()
        self._stopped: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._numbers = 0
        self._changed = asyncio.Event()

    def accept(self, text: SendRequest) -> Message | ErrorResponse:
        """Accept a text to a phone, or return Twilio's error."""
        if error := find_error(text.to, text.sender, text.body, self.lines):
            return error
        if (text.to, text.sender) in self._stopped:
            return UNSUBSCRIBED
        return self._keep("outbound-api", text, "queued")

    def deliver_reply(self, phone: str, line: str, body: str) -> Message | None:
        """Deliver the webhook's reply to a phone. Returns None, without delivery, when that phone has sent STOP."""
        if (phone, line) in self._stopped:
            return None
        return self._keep("outbound-reply", SendRequest(phone, line, body, None, None), "delivered")

    def receive(self, phone: str, line: str, body: str) -> Message:
        """Accept a text from a phone. STOP, START and HELP take effect at once, and the carrier replies to them."""
        message = self._keep("inbound", SendRequest(line, phone, body, None, None), "received")
        word = opt_out_keyword(body)
        if word == "STOP":
            self._stopped[phone, line] = None
            if len(self._stopped) > _MAX_OPT_OUTS:
                self._stopped.popitem(last=False)
        if word == "START":
            self._stopped.pop((phone, line), None)
        if word:
            self._keep("outbound-reply", SendRequest(phone, line, _REPLIES[word], None, None), "delivered")
        return message

    def advance(self, message: Message, status: MessageStatus, error_code: int | None = None) -> None:
        """Set the delivery status of a text."""
        message.status, message.error_code, message.updated_at = status, error_code, self._clock()
        if status == "sent":
            message.sent_at = message.updated_at
        self._count_change()

    def by_sid(self, sid: str) -> Message | None:
        """Return the text with this SID."""
        return self._texts.get(sid)

    def latest_first(self, to: str | None = None) -> list[Message]:
        """Return a new list of the kept texts, of one phone or of all, latest first."""
        return list(reversed(self._texts.values() if to is None else self._by_phone.get(to, ())))

    def accepted_after(self, number: int, limit: int) -> list[Message]:
        """Return the next `limit` texts accepted from the hub after the text with this number."""
        later = (each for each in self._texts.values() if each.number > number and each.direction == "outbound-api")
        return list(islice(later, limit))

    def phones(self, limit: int) -> list[Message]:
        """Return the last text of each phone, most recent first."""
        return [self._by_phone[phone][-1] for phone in islice(reversed(self._by_phone), limit)]

    def conversation(self, phone: str, limit: int) -> list[Message]:
        """Return the last `limit` texts from and to a phone, oldest first."""
        return list(reversed(list(islice(reversed(self._by_phone.get(phone, ())), limit))))

    def stopped(self, phone: str) -> list[str]:
        """Return the hub's numbers to which this phone has sent STOP."""
        return [line for line in self.lines if (phone, line) in self._stopped]

    async def until_changed(self, since: int) -> int:
        """Wait until the count of changes differs from `since`, and return it."""
        while self.change == since:
            await self._changed.wait()
        return self.change

    def _keep(self, direction: Direction, text: SendRequest, status: MessageStatus) -> Message:
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
        if len(self._texts) > self._max_texts:
            self._drop_oldest()
        self._count_change()
        return message

    def _drop_oldest(self) -> None:
        _, oldest = self._texts.popitem(last=False)
        of_phone = self._by_phone[oldest.phone]
        of_phone.popleft()  # the oldest text of all is also the oldest of its phone
        if not of_phone:
            del self._by_phone[oldest.phone]

    def _count_change(self) -> None:
        self.change += 1
        self._changed.set()
        self._changed = asyncio.Event()


def opt_out_keyword(body: str) -> OptOutKeyword | None:
    """Return the opt-out keyword that a carrier recognises in this body; None when it is an ordinary text."""
    word = body.strip().lower()
    if word in _STOP:
        return "STOP"
    if word in _START:
        return "START"
    return "HELP" if word in _HELP else None
