"""The calendar files of doctors in memory: to write one of 2000 appointments takes a second."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_BUDGET: Final = 16 * 1024 * 1024
"""Bytes of all files together; a file of 2000 appointments has 0.6 MB."""


@dataclass(frozen=True)
class CalendarFile:
    """A file that is true after the event `seq` of its doctor, until the instant `until`, and while `names` are these.

    `names` are those of the patients in it, by id.
    """

    seq: int
    until: datetime
    names: Mapping[str, str]
    content: bytes


class CalendarFiles:
    """Keeps the last file of each doctor, within a budget; the least recently used go first."""

    def __init__(self, budget: int = _BUDGET) -> None:
        """Keep at most `budget` bytes."""
        self._budget = budget
        self._files: OrderedDict[str, CalendarFile] = OrderedDict()

    def last(self, doctor_id: str) -> CalendarFile | None:
        """Return the last file of a doctor. It may be outdated: compare its fields."""
        if doctor_id in self._files:
            self._files.move_to_end(doctor_id)
        return self._files.get(doctor_id)

    def keep(self, doctor_id: str, file: CalendarFile) -> None:
        """Keep the file instead of the doctor's last one."""
        self._files[doctor_id] = file
        self._files.move_to_end(doctor_id)
        while sum(len(each.content) for each in self._files.values()) > self._budget:
            self._files.popitem(last=False)
