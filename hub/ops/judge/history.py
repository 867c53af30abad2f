"""The history of a run: every command that its clients sent, with the answers, and what they read."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hub.client.answers import Answer
from hub.client.commands import Command, Request
from hub.ops.judge.reads import Read


@dataclass
class Exchange:
    """One request and its answer; `answer` is None while the caller waits, and when it stopped waiting.

    `abandoned`: the caller stopped waiting on purpose, so a missing answer breaks no promise.
    """

    request: Request
    answer: Answer | None = None
    abandoned: bool = False


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
        return first


def describe(request: Request) -> str:
    """Return a description of a request for a violation."""
    return f"{request.command.kind} by {request.user.role} {request.user.id}, key {request.key}"
