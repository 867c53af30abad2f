"""The history of a run: every command that its clients sent, with the answers, and what they read."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Self

from hub.client.answers import UNDECIDED, Answer, NoResponse, Problem
from hub.client.appointment import NamedAppointment
from hub.client.commands import Command, Request, User
from hub.client.day_changes import Line
from hub.client.wire import WaitingEntry
from hub.ids import derived_id
from hub.ops.judge.reads import Read


@dataclass
class Exchange:
    """One request and its answer; `answer` is None while the caller waits, and when it stopped waiting.

    `abandoned`: the caller stopped waiting on purpose, so a missing answer breaks no promise. `planned`: the command
    was of a day change, and was to be refused if the appointment did not start at this time any more.
    """

    request: Request
    answer: Answer | None = None
    abandoned: bool = False
    planned: datetime | None = None


@dataclass
class DayChange:
    """A request to move a doctor's day `by` minutes or `to` another day, or to cancel it for a `reason`.

    `at` is the time of the first attempt. `lines` are those of the last attempt, each with the time at which it came.
    `abandoned`: the caller stopped waiting on purpose.
    """

    user: User
    doctor_id: str
    day: date
    key: str
    at: datetime
    by: int | None = None
    to: date | None = None
    reason: str | None = None
    abandoned: bool = False
    begun_at: datetime | None = None
    """When the first line of any attempt came: the appointments to change were fixed before."""
    lines: list[tuple[Line, datetime]] = field(default_factory=list)

    @property
    def finished(self) -> Line | None:
        """The last line, if the hub finished the request."""
        last = self.lines[-1][0] if self.lines else None
        return last if last and last["type"] == "finished" else None

    def on_line(self, line: Line, at: datetime) -> None:
        """Record a line. A repeated request sends its lines again from the first one on."""
        if line["type"] == "begun":
            self.lines = []
            self.begun_at = self.begun_at or at
        self.lines.append((line, at))


@dataclass(frozen=True)
class LineAnswer:
    """An answer to a request about a line at the time `at`: the id of the entry or the offer, or the code of a refusal.

    Without both, the command was not decided.
    """

    at: datetime
    id: str | None = None
    code: str | None = None


@dataclass
class LineRequest:
    """A request to join a doctor's line (for `patient_id`), to leave it, or to offer the slot at `start` out of turn.

    All requests of a user under one `key` are the same one, sent first at the time `at`. `abandoned`: a caller stopped
    waiting on purpose.
    """

    user: User
    kind: Literal["join", "leave", "offer"]
    key: str
    at: datetime
    doctor_id: str
    patient_id: str
    entry_id: str | None = None
    start: datetime | None = None
    abandoned: bool = False
    answers: list[LineAnswer] = field(default_factory=list)

    @property
    def command_id(self) -> str:
        """The id of the command inside the hub."""
        return derived_id(self.user.id, self.key)

    def on_answer(self, answer: WaitingEntry | NamedAppointment | Problem | NoResponse, at: datetime) -> None:
        """Record an answer of the client."""
        match answer:
            case WaitingEntry() | NamedAppointment():
                self.answers.append(LineAnswer(at, id=answer.id))
            case Problem(code=code) if code not in UNDECIDED:
                self.answers.append(LineAnswer(at, code=code))
            case _:
                self.answers.append(LineAnswer(at))


@dataclass
class Entry:
    """A command with all requests under its id: several if it was sent over several transports or again later."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def first(self) -> Request:
        """The first request."""
        return self.exchanges[0].request

    @property
    def commands(self) -> set[Command]:
        """The different commands under this id. More than one means that a client reused the key."""
        return {exchange.request.command for exchange in self.exchanges}

    @property
    def answers(self) -> list[Answer]:
        """The answers that came."""
        return [exchange.answer for exchange in self.exchanges if exchange.answer]


class History:
    """Records all commands of its clients, as their `hub.client.commands.Observer`."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._reads: list[Read] = []
        self.day_changes: list[DayChange] = []
        self.line_requests: dict[str, LineRequest] = {}
        """By the id of the command."""
        self.joins: dict[tuple[str, str, str], datetime] = {}
        """When joins were first requested, by the receptionist, the patient without a log-in, and the account."""
        self.finished_joins: dict[tuple[str, str], set[str]] = {}
        """Those that were finished, by patient and account, with the appointments that were named as conflicts."""

        self.erasures: dict[str, datetime] = {}
        """When patients first asked to be erased, by patient."""
        self.erased: dict[str, datetime] = {}
        """When the hub said that they are, by patient."""

    def on_erase(self, patient_id: str, at: datetime) -> None:
        """Record an erasure that is about to be requested."""
        self.erasures.setdefault(patient_id, at)

    def on_erased(self, patient_id: str, at: datetime) -> None:
        """Record the hub's answer that a patient is erased."""
        self.erased.setdefault(patient_id, at)

    def joined(self, patient_id: str) -> set[str]:
        """Return the patient and the accounts with which the patient may have been joined."""
        return {patient_id} | {into for _, first, into in self.joins if first == patient_id}

    def on_join(self, user_id: str, patient_id: str, into: str, at: datetime) -> None:
        """Record a join that is about to be requested."""
        self.joins.setdefault((user_id, patient_id, into), at)

    def on_joined(self, patient_id: str, into: str, conflicts: Collection[str]) -> None:
        """Record a join that the hub has finished; `conflicts` are the appointments that stay."""
        self.finished_joins.setdefault((patient_id, into), set()).update(conflicts)

    def copy(self) -> Self:
        """Return a history to which more can be added without changing this one."""
        other = type(self)()
        other._entries = {id_: Entry(list(entry.exchanges)) for id_, entry in self._entries.items()}  # noqa: SLF001  # of the same class
        other._reads = list(self._reads)  # noqa: SLF001  # the same
        other.line_requests = dict(self.line_requests)
        other.joins, other.finished_joins = dict(self.joins), dict(self.finished_joins)
        other.erasures, other.erased = dict(self.erasures), dict(self.erased)
        return other

    def enter(self, exchange: Exchange) -> None:
        """Record an exchange that is over."""
        self._entries.setdefault(exchange.request.command_id, Entry()).exchanges.append(exchange)

    def on_day_change(self, change: DayChange) -> None:
        """Record a day change that is about to be requested."""
        self.day_changes.append(change)

    def on_line_request(self, request: LineRequest) -> LineRequest:
        """Record a request about a line that is about to be sent, and return it, or the first one under its key."""
        return self.line_requests.setdefault(request.command_id, request)

    def on_request(self, request: Request) -> None:
        """Record a request."""
        self._entries.setdefault(request.command_id, Entry()).exchanges.append(Exchange(request))

    def on_answer(self, request: Request, answer: Answer) -> None:
        """Record the answer to a request."""
        exchanges = self._entries[request.command_id].exchanges
        waiting = next(each for each in exchanges if each.request is request and not each.answer)
        waiting.answer = answer

    def on_abandoned(self, command_id: str) -> None:
        """Record that the callers that still waited for this command have stopped waiting."""
        for exchange in self._entries[command_id].exchanges:
            exchange.abandoned = exchange.answer is None

    def on_read(self, read: Read) -> None:
        """Record a read with its answer."""
        self._reads.append(read)

    @property
    def reads(self) -> Collection[Read]:
        """All reads, in the order of their answers."""
        return self._reads

    @property
    def entries(self) -> Collection[Entry]:
        """All commands, in the order of their first requests."""
        return self._entries.values()

    def by_command(self, command_id: str) -> Entry | None:
        """Return the command with this id; None if no client of this history sent it."""
        return self._entries.get(command_id)

    def exchanges(self) -> Iterator[Exchange]:
        """Return all requests with their answers."""
        for entry in self._entries.values():
            yield from entry.exchanges

    def first_request_times(self) -> dict[str, datetime]:
        """Return the time of each client's first request, by user id."""
        first: dict[str, datetime] = {}
        for exchange in self.exchanges():
            first.setdefault(exchange.request.user.id, exchange.request.at)
        for request in self.line_requests.values():
            first[request.user.id] = min(request.at, first.get(request.user.id, request.at))
        return first


def describe(request: Request) -> str:
    """Return a description of a request for a violation."""
    return f"{request.command.kind} by {request.user.role} {request.user.id}, key {request.key}"
