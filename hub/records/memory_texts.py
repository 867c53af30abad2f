"""The in-memory implementation of the stores of `hub.texting.ports`, for tests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from hub.texting.inbound_text import InboundText
from hub.texting.ports import LineHalt
from hub.texting.text import NO_ACCOUNT, UNSETTLED, Line, StatusUpdate, Text, TextStatus, UrgentKind, statuses_below


class MemoryTexts:
    """Implements `hub.texting.ports.TextRecords`."""

    def __init__(self) -> None:
        self._stored: dict[str, Text] = {}

    async def add_all(self, texts: Sequence[Text]) -> int:
        """Insert the texts that do not exist yet."""
        before = len(self._stored)
        self._stored = {text.id: text for text in reversed(texts)} | self._stored
        return len(self._stored) - before

    async def by_id(self, text_id: str) -> Text | None:
        """Return the text."""
        return self._stored.get(text_id)

    async def by_sid(self, sid: str) -> Text | None:
        """Return the text with this Twilio SID."""
        return next((text for text in self._stored.values() if text.sid == sid), None)

    async def of_appointment(self, appointment_id: str) -> list[Text]:
        """Return the texts about an appointment, in the order in which they were planned."""
        found = (text for text in self._stored.values() if text.appointment_id == appointment_id)
        return sorted(found, key=_age)

    async def to_person(self, user_id: str, since: datetime) -> list[Text]:
        """Return the texts to a person about appointments that start at `since` or later, the last planned first."""
        found = (text for text in self._stored.values() if text.user_id == user_id and text.start >= since)
        return sorted(found, key=_age, reverse=True)

    async def not_delivered(self, doctor_id: str, since: datetime) -> list[Text]:
        """Return the doctor's texts planned at `since` or later that reached nobody, the latest first."""
        found = (text for text in self._stored.values() if text.doctor_id == doctor_id and text.created_at >= since)
        return sorted((text for text in found if text.reached_nobody), key=_age, reverse=True)

    async def due(self, line: Line, until: datetime, limit: int, kind: UrgentKind | None = None) -> list[Text]:
        """Return at most `limit` planned texts of a line with `not_before` <= `until`, the longest waiting first."""
        found = (text for text in self._of({TextStatus.PLANNED}) if text.line == line and text.not_before <= until)
        return sorted((one for one in found if kind in {None, one.kind}), key=lambda text: text.not_before)[:limit]

    async def sent_between(self, line: Line, after: datetime, until: datetime) -> list[Text]:
        """Return the texts of a line with status `sent` and `not_before` in (after, until]."""
        found = (text for text in self._of({TextStatus.SENT}) if text.line == line)
        return sorted((text for text in found if after < text.not_before <= until), key=_age)

    async def unsettled(self, until: datetime) -> list[Text]:
        """Return the texts with status `sending` or `unknown` that were last updated at `until` or before."""
        return [text for text in self._of(UNSETTLED) if text.updated_at <= until]

    async def claim(self, text: Text, now: datetime) -> Text | None:
        """Move a planned text to `sending` and count the attempt, unless it has changed since it was read."""
        stored = self._stored.get(text.id)
        if stored is None or (stored.status, stored.attempts) != (TextStatus.PLANNED, text.attempts):
            return None
        return self._change(stored, status=TextStatus.SENDING, attempts=text.attempts + 1, updated_at=now)

    async def settle(self, text_id: str, news: StatusUpdate, now: datetime) -> bool:
        """Move a text up to the status of the update."""
        stored = self._stored.get(text_id)
        if stored is None:
            return False
        if stored.sid is None and news.sid:
            stored = self._change(stored, sid=news.sid)
        if stored.status not in statuses_below(news.status):
            return False
        told = {"error_code": news.error_code, "reason": news.reason}
        changes = {name: value for name, value in told.items() if value is not None}
        self._change(stored, status=news.status, updated_at=now, **changes)
        return True

    async def postpone(
        self, text: Text, not_before: datetime, now: datetime, error_code: int | None = None
    ) -> Text | None:
        """Move a text whose last attempt sent nothing back to `planned`, unless it has changed since."""
        changes = {} if error_code is None else {"error_code": error_code}
        return self._put_back(text, status=TextStatus.PLANNED, not_before=not_before, updated_at=now, **changes)

    async def repair(self, text: Text, now: datetime) -> Text | None:
        """Move a text that Twilio does not list back to `planned` and count the repair, unless it has changed since."""
        again = text.repairs + 1
        return self._put_back(text, status=TextStatus.PLANNED, not_before=now, updated_at=now, repairs=again)

    async def delete_before(self, instant: datetime) -> int:
        """Delete the texts whose last planned time is before an instant; return how many."""
        before = len(self._stored)
        self._stored = {id_: text for id_, text in self._stored.items() if text.not_before >= instant}
        return before - len(self._stored)

    async def delete_of_sign_ups(self, instant: datetime) -> int:
        """Delete the codes of sign-ups that became useless before an instant; return how many."""
        old = [one.id for one in self._stored.values() if one.user_id == NO_ACCOUNT and one.start < instant]
        for id_ in old:
            del self._stored[id_]
        return len(old)

    async def erase(self, user_id: str, now: datetime) -> None:
        """Remove numbers and words from the texts to a person; those that wait are skipped."""
        for text in [each for each in self._stored.values() if each.user_id == user_id]:
            waits = text.status is TextStatus.PLANNED
            skipped = {"status": TextStatus.SKIPPED, "reason": "erased", "updated_at": now} if waits else {}
            self._change(text, body="", phone=None, **skipped)

    def _put_back(self, text: Text, **changes: object) -> Text | None:
        stored = self._stored.get(text.id)
        if stored is None or stored.status not in UNSETTLED or stored.attempts != text.attempts:
            return None
        return self._change(stored, **changes)

    def _of(self, statuses: Collection[TextStatus]) -> Iterable[Text]:
        return (text for text in self._stored.values() if text.status in statuses)

    def _change(self, text: Text, **changes: object) -> Text:
        self._stored[text.id] = text.model_copy(update=changes)
        return self._stored[text.id]


class MemoryTextPositions:
    """Implements `hub.texting.ports.TextPositions`."""

    def __init__(self) -> None:
        self._seqs: dict[str, int] = {}

    async def read(self, doctor_ids: Collection[str]) -> dict[str, int]:
        """Return the position of each doctor, 0 if no texts have been planned for that doctor."""
        return {doctor_id: self._seqs.get(doctor_id, 0) for doctor_id in doctor_ids}

    async def advance(self, positions: Mapping[str, int]) -> None:
        """Move each doctor's position up to the given one. A position never moves back."""
        for doctor_id, seq in positions.items():
            self._seqs[doctor_id] = max(seq, self._seqs.get(doctor_id, 0))


class MemoryInboundTexts:
    """Implements `hub.texting.ports.InboundTexts`."""

    def __init__(self) -> None:
        self._stored: dict[str, InboundText] = {}

    async def receive(self, message: InboundText) -> InboundText:
        """Store a message and return it, or return the stored message with this id."""
        return self._stored.setdefault(message.id, message)

    async def bind(self, message_id: str, appointment_id: str) -> str:
        """Store that the message is about an appointment, unless it is about one already. Return the stored id."""
        stored = self._stored[message_id]
        if stored.about is None:
            self._stored[message_id] = stored.model_copy(update={"about": appointment_id})
        return stored.about or appointment_id

    async def answered(self, message_id: str, answer: str, *, decided: bool) -> None:
        """Store our reply. The first stored reply stays."""
        stored = self._stored.get(message_id)
        if stored and stored.answer is None:
            self._stored[message_id] = stored.model_copy(update={"answer": answer, "decided": decided})

    async def about_appointments(self, phone: str, since: datetime) -> list[InboundText]:
        """Return the messages from the phone that are about an appointment, the latest first."""
        found = [each for each in self._stored.values() if each.phone == phone and each.received_at >= since]
        return sorted(
            (each for each in found if each.about), key=lambda each: (each.received_at, each.id), reverse=True
        )

    async def delete_before(self, instant: datetime) -> int:
        """Delete the messages that were received before an instant; return how many."""
        before = len(self._stored)
        self._stored = {id_: each for id_, each in self._stored.items() if each.received_at >= instant}
        return before - len(self._stored)

    async def erase(self, phone: str, about: Collection[str] | None) -> None:
        """Remove number and words from messages of a phone: all, or those `about` these appointments."""
        for id_, each in self._stored.items():
            if each.phone == phone and (about is None or each.about in about):
                self._stored[id_] = each.model_copy(update={"phone": "", "body": "", "answer": ""})


class MemoryOptOuts:
    """Implements `hub.texting.ports.OptOuts`."""

    def __init__(self) -> None:
        self._stored: set[tuple[str, str]] = set()

    async def add(self, phone: str, our_number: str, now: datetime) -> None:  # noqa: ARG002  # the MongoDB store needs it
        """Store that `phone` wants no texts from `our_number`."""
        self._stored.add((phone, our_number))

    async def remove(self, phone: str, our_number: str) -> None:
        """Delete the opt-out."""
        self._stored.discard((phone, our_number))

    async def forget(self, phone: str) -> None:
        """Delete the opt-outs of a phone from all our numbers."""
        self._stored = {pair for pair in self._stored if pair[0] != phone}

    async def has(self, phone: str, our_number: str) -> bool:
        """Return whether `phone` wants no texts from `our_number`."""
        return (phone, our_number) in self._stored


class MemoryLineHalts:
    """Implements `hub.texting.ports.LineHalts`."""

    def __init__(self) -> None:
        self._stored: dict[str, LineHalt] = {}

    async def put(self, our_number: str, code: int, now: datetime) -> None:
        """Store that texts from this number are blocked."""
        self._stored[our_number] = LineHalt(code, now)

    async def latest(self, our_number: str) -> LineHalt | None:
        """Return the last halt of this number."""
        return self._stored.get(our_number)


def _age(text: Text) -> tuple[datetime, int, str]:
    return text.created_at, text.seq, text.id
