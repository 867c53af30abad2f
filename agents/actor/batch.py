"""The commands that are handled together, and which of them have been answered."""

from collections.abc import Sequence

from agents.answers import Answer
from hub.scheduling.commands import Command


class Batch:
    """The commands of one call of the actors, and the answers so far.

    `busy` are the positions of bookings whose patient is known to have another appointment at that time. `places` are
    the places among the appointments of their patients that the record showed as free, None where it showed none.
    """

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.busy: set[int] = set()
        self.places: dict[int, int | None] = {}
        self._answers: dict[int, Answer] = {}

    def waiting(self) -> list[int]:
        """Return the positions of the commands without an answer, in order."""
        return [position for position in range(len(self.commands)) if position not in self._answers]

    def answer(self, position: int, answer: Answer) -> None:
        """Answer the command at this position."""
        self._answers[position] = answer

    def in_order(self) -> list[Answer]:
        """Return the answers in the order of the commands; each command must have one."""
        return [self._answers[position] for position in range(len(self.commands))]
