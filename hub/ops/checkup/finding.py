"""The result of a check."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["fine", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """`says` is a sentence: the state, or what is wrong and how to fix it. A `note` does not stop the hub."""

    part: Literal["settings", "database", "broker", "photos", "twilio"]
    grade: Grade
    says: str
