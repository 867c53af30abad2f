"""What was asked and answered: every command of the clients that this history is the witness of."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hub.client.answers import Answer
from hub.client.asking import Ask, Wish


@dataclass
class Told:
    """One asking of a command and what it came to; no answer when its caller gave up or still waits.

    `hung_up`: the caller did not wait to be told, so nobody owes an answer.
    """

    ask: Ask
    answer: Answer | None = None
    hung_up: bool = False


@dataclass
class Entry:
    """A command: all askings under one id. Several when it was sent by more than one way, or again later."""

    tellings: list[Told] = field(default_factory=list)

    @property
    def first(self) -> Ask:
        """The first asking."""
        return self.tellings[0].ask

    @property
    def wishes(self) -> set[Wish]:
        """What was asked for under this id; more than one means that the key was used for different things."""
        return {told.ask.wish for told in self.tellings}

    @property
    def answers(self) -> list[Answer]:
        """The answers that came."""
        return [told.answer for told in self.tellings if told.answer]


class History:
    """The witness of all commands of its clients (`hub.client.asking.Witness`)."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def asked(self, ask: Ask) -> None:
        """Write down that a command is on its way."""
        self._entries.setdefault(ask.command_id, Entry()).tellings.append(Told(ask))

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Write down what it came to."""
        waiting = next(told for told in self._entries[ask.command_id].tellings if told.ask is ask and not told.answer)
        waiting.answer = answer

    def hung_up(self, command_id: str) -> None:
        """Write down that whoever still waits for this command has gone away without an answer."""
        for told in self._entries[command_id].tellings:
            told.hung_up = told.answer is None

    @property
    def entries(self) -> Collection[Entry]:
        """All commands, in the order in which they were first sent."""
        return self._entries.values()

    def by_command(self, command_id: str) -> Entry | None:
        """Return the command of this id, if somebody here sent it."""
        return self._entries.get(command_id)

    def tellings(self) -> Iterator[Told]:
        """Go through all askings."""
        for entry in self._entries.values():
            yield from entry.tellings

    def since(self) -> dict[str, datetime]:
        """Return, by id, the people whose commands are written down here, and when the first of them was sent."""
        first: dict[str, datetime] = {}
        for told in self.tellings():
            first.setdefault(told.ask.who.id, told.ask.at)
        return first


def named(ask: Ask) -> str:
    """Return how a violation speaks of a command."""
    return f"{ask.wish.kind} by {ask.who.role} {ask.who.id}, key {ask.key}"
