"""What the hub promises, and what it looks like when it does not keep it."""

from dataclasses import dataclass
from enum import IntEnum


class Promise(IntEnum):
    """The promises by their numbers in docs/promises.md."""

    ACKNOWLEDGED_IS_WRITTEN = 1
    NO_OVERLAP = 2
    APPLIED_ONCE = 3
    TOLD_IN_ORDER = 4
    REMINDED_ONCE = 5
    NOTHING_LOST = 6
    REFUSALS_ARE_TRUE = 7

    @property
    def text(self) -> str:
        """The promise in a sentence."""
        return _TEXTS[self]


_TEXTS = {
    Promise.ACKNOWLEDGED_IS_WRITTEN: "What was acknowledged is in the record",
    Promise.NO_OVERLAP: "No two active appointments overlap, and none is put outside the doctor's hours",
    Promise.APPLIED_ONCE: "A command is applied at most once, and nothing that nobody asked for",
    Promise.TOLD_IN_ORDER: "Every change reaches every entitled client, in order, once",
    Promise.REMINDED_ONCE: "A reminder comes once, and none after cancellation or start",
    Promise.NOTHING_LOST: "Losing the broker or a process loses nothing that was acknowledged",
    Promise.REFUSALS_ARE_TRUE: "Every command is decided, and a refusal names its reason and is true",
}


@dataclass(frozen=True)
class Violation:
    """A promise that was broken: which, by what (a few words, the same for the same kind), and the case at hand."""

    promise: Promise
    what: str
    case: str

    def __str__(self) -> str:
        return f"promise {self.promise.value}: {self.what}: {self.case}"
