"""What a look at one part of the hub has shown."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["fine", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """`says` is a sentence: how it is, or what is wrong and what mends it. A `note` is nothing that stops the hub."""

    part: Literal["settings", "database", "broker", "photos", "twilio"]
    grade: Grade
    says: str
