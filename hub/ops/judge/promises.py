"""The promises of the hub, and the violations of them."""

from dataclasses import dataclass
from enum import IntEnum


class Promise(IntEnum):
    """The promises, numbered as in docs/promises.md."""

    ACKNOWLEDGED_IS_WRITTEN = 1
    NO_OVERLAP = 2
    APPLIED_ONCE = 3
    TOLD_IN_ORDER = 4
    REMINDED_ONCE = 5
    NOTHING_LOST = 6
    REFUSALS_ARE_TRUE = 7
    WAITLIST = 8

    @property
    def text(self) -> str:
        """The promise in a sentence."""
        return _TEXTS[self]


_TEXTS = {
    Promise.ACKNOWLEDGED_IS_WRITTEN: "Every acknowledged change is in the record",
    Promise.NO_OVERLAP: "No two active appointments overlap, and none is booked outside the doctor's hours",
    Promise.APPLIED_ONCE: "A command is applied at most once, and nothing changes without a command",
    Promise.TOLD_IN_ORDER: "Every change reaches every entitled client, in order, once",
    Promise.REMINDED_ONCE: "A reminder is sent once, and never after cancellation or start",
    Promise.NOTHING_LOST: "Losing the broker or a process loses no acknowledged change",
    Promise.WAITLIST: "A free slot is offered once, in time, to the first who waits and fits, and to nobody else",
    Promise.REFUSALS_ARE_TRUE: "Every command is decided, and every refusal has a true reason",
}


@dataclass(frozen=True)
class Violation:
    """A broken promise: the kind of violation in a few words (`what`), and the details of this case."""

    promise: Promise
    what: str
    case: str

    def __str__(self) -> str:
        return f"promise {self.promise.value}: {self.what}: {self.case}"
