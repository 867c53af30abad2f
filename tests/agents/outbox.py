"""An outbox with texts about real appointments, and a fake Twilio with configurable answers."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.texts.gateway import SmsGateway
from agents.texts.sending import TextSender
from hub.clock import Timekeeper
from hub.records.memory import MemoryRecords
from hub.records.ports import Records
from hub.scheduling.commands import BookAppointment
from hub.texting.outcomes import Outcome, SendResult
from hub.texting.reports import Report
from hub.texting.text import Line, Text, TextKind, TextStatus, text_id
from hub.texting.twilio import TwilioUnreachable
from tests.agents.actor_fixtures import book
from tests.agents.workers import PHONES, Worker

NUMBERS: dict[Line, str] = {"patient": "+12025550180", "doctor": "+12025550190"}
TOOK = 0.01
"""Seconds until Twilio answers."""


@dataclass(frozen=True)
class Post:
    """One attempt to send, at the loop time `at` (seconds)."""

    at: float
    to: str
    body: str
    sender: str
    callback: str
    valid_for: float


@dataclass
class FakeTwilio:
    """Accepts every text, unless `answers` has other outcomes for the next texts to its number."""

    answers: dict[str, list[SendResult]] = field(default_factory=lambda: defaultdict(list))
    posts: list[Post] = field(default_factory=list)
    listed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """SIDs by body, as Twilio's list shows them. Accepted texts are added."""
    looks: list[tuple[float, str]] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    """Bodies for which the list is unavailable, and SIDs without information."""
    reports: dict[str, Report] = field(default_factory=dict)
    """The report for each SID."""
    fetches: list[tuple[float, str]] = field(default_factory=list)
    hangs: set[str] = field(default_factory=set)
    """Phones whose texts are answered only after this event."""
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    during: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(TOOK)

    async def send(self, to: str, body: str, sender: str, callback: str, valid_for: float) -> Outcome:
        self.posts.append(Post(_now(), to, body, sender, callback, valid_for))
        fate = self.answers[to].pop(0) if self.answers[to] else SendResult.SENT
        if to in self.hangs:
            await self.answer.wait()
        await self.during()
        if fate is not SendResult.SENT:
            return Outcome(fate, sid=None, code=_CODES[fate], cause=fate.value)
        sid = f"SM{len(self.posts)}"
        self.listed[body].append(sid)
        return Outcome(SendResult.SENT, sid=sid, code=0, cause="accepted")

    async def fetch(self, sid: str) -> Report | None:
        self.fetches.append((_now(), sid))
        if sid in self.unreachable:
            raise TwilioUnreachable("HTTP 503")
        return self.reports.get(sid)

    async def find(self, _to: str, body: str, _sender: str, _since: datetime) -> list[str]:
        self.looks.append((_now(), body))
        if body in self.unreachable:
            raise TwilioUnreachable("HTTP 503, code 0")
        return list(self.listed[body])


_CODES = {
    SendResult.LATER: 20429,
    SendResult.PERMANENT: 21211,
    SendResult.OPTED_OUT: 21610,
    SendResult.HALT: 20003,
    SendResult.UNKNOWN: 0,
}


class Outbox:
    """The texts of a worker, and their sender."""

    def __init__(self, worker: Worker, per_second: float = 100.0) -> None:
        self.worker = worker
        self.twilio = FakeTwilio()
        self.per_second = per_second
        self.texts: list[Text] = []

    @property
    def records(self) -> MemoryRecords:
        return self.worker.records

    @property
    def clock(self) -> Timekeeper:
        return self.worker.clock

    def sender(self, records: Records | None = None, *, leads: bool = True) -> TextSender:
        """Return the sender of another worker."""
        gateway = SmsGateway(self.twilio, NUMBERS, "https://hub.clinic.example", self.per_second)
        sender = TextSender(records or self.records, self.clock, gateway)
        sender.set_leading(leading=leads)
        return sender

    async def visit(self, patient: str = "carl", at: int = 0, doctor: str = "ada") -> BookAppointment:
        visit = book(patient, at, doctor)
        await self.worker.do(visit)
        return visit

    async def plan(
        self, visit: BookAppointment, kind: TextKind = "booked", line: Line = "patient", **more: object
    ) -> Text:
        """Put a text about an appointment into the outbox."""
        appointment = await self.worker.appointment(visit.id)
        now = self.clock()
        user = visit.patient_id if line == "patient" else visit.doctor_id
        fields = {
            "id": text_id(visit.doctor_id, 1000 + len(self.texts), user),
            "kind": kind,
            "line": line,
            "user_id": user,
            "phone": PHONES[user],
            "appointment_id": visit.id,
            "doctor_id": visit.doctor_id,
            "seq": appointment.last.seq,
            "version": appointment.version,
            "start": appointment.start,
            "body": f"text {len(self.texts)}",
            "status": TextStatus.PLANNED,
            "not_before": now - timedelta(seconds=1) + timedelta(milliseconds=len(self.texts)),  # in their order
            "useless_after": appointment.start - timedelta(minutes=30 if kind == "reminder" else 0),
            "created_at": now,
            "updated_at": now,
        }
        text = Text(**fields | more)
        self.texts.append(text)
        await self.records.texts.add_all([text])
        return text

    async def now(self, text: Text) -> Text:
        stored = await self.records.texts.by_id(text.id)
        assert stored
        return stored

    def posted(self, text: Text) -> list[float]:
        """Return the time at which a text was posted."""
        return [post.at for post in self.twilio.posts if post.body == text.body]


async def opened(per_second: float = 100.0, worker: Worker | None = None) -> Outbox:
    worker = worker or Worker()
    await worker.open()
    return Outbox(worker, per_second)


def bodies(posts: Sequence[Post]) -> list[str]:
    return [post.body for post in posts]


def _now() -> float:
    return asyncio.get_running_loop().time()
