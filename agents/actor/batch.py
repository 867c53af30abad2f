"""The commands that are handled together, and which of them have been answered."""

from collections.abc import Sequence

from agents.answers import Answer
from hub.scheduling.commands import BookAppointment, Command
from hub.scheduling.waitlist_commands import JoinWaitlist, OfferSlot

_INSERTS = (BookAppointment, OfferSlot, JoinWaitlist)
"""Commands whose write inserts a document. That of another one replaces a document."""


class Batch:
    """The commands of one call of the actors in the order in which they are decided, and the answers so far.

    Each doctor's commands keep their order. Those of different doctors are sorted so that replacements and inserts
    hardly alternate: the database gets a command, and waits for its journal, for each run of writes of one kind.
    Replacements come first, because some of them make room for bookings.

    `busy` are the positions of bookings whose patient is known to have another appointment at that time. `places` are
    the places among the appointments of their patients that the record showed as free, None where it showed none.
    """

    def __init__(self, commands: Sequence[Command]) -> None:
        self._order = in_runs(commands)
        self.commands = [commands[number] for number in self._order]
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
        """Return the answers in the order in which the commands were given; each command must have one."""
        answers = {number: self._answers[position] for position, number in enumerate(self._order)}
        return [answers[number] for number in range(len(self.commands))]


def in_runs(commands: Sequence[Command]) -> list[int]:
    """Return the positions of the commands in an order with few changes between replacements and inserts."""
    last: dict[str, int] = {}
    runs = []
    for command in commands:
        run = last.get(command.doctor_id, 0)
        run += isinstance(command, _INSERTS) != bool(run % 2)  # runs with odd numbers are inserts
        last[command.doctor_id] = run
        runs.append(run)
    return sorted(range(len(commands)), key=runs.__getitem__)
