"""The positions that a user has seen, so that no process answers a read or a watch from before them."""

import re
from collections.abc import Iterable, Iterator

_PAIR = re.compile(r"([A-Za-z0-9_-]{1,64})=(\d{1,15})", re.ASCII)
_MOST = 100
"""Doctors whose positions are sent: those of the latest answers. The header then has at most 8 KB."""


class Positions:
    """The highest `seq` of each doctor in any answer or event so far, over REST and over all lines of the user."""

    def __init__(self) -> None:
        self._seqs: dict[str, int] = {}

    def note(self, position: str) -> None:
        """Take the `Position` header of an answer, empty for none."""
        self.add(_pairs(position))

    def add(self, seqs: Iterable[tuple[str, int]]) -> None:
        """Take the `seq` of each of these doctors."""
        for doctor_id, seq in seqs:
            self._seqs[doctor_id] = max(seq, self._seqs.pop(doctor_id, 0))
        while len(self._seqs) > _MOST:
            del self._seqs[next(iter(self._seqs))]

    def since(self, doctor_id: str) -> dict[str, object]:
        """Return the field to send with a watch of a doctor's day; nothing if no event of the doctor is known."""
        seq = self._seqs.get(doctor_id)
        return {"since": {doctor_id: seq}} if seq else {}

    def since_all(self) -> dict[str, object]:
        """Return the field to send with a board; nothing if no event is known."""
        return {"since": dict(self._seqs)} if self._seqs else {}

    @property
    def headers(self) -> dict[str, str]:
        """The header to send with a read."""
        known = ", ".join(f"{doctor_id}={seq}" for doctor_id, seq in self._seqs.items())
        return {"If-Position": known} if known else {}


def _pairs(position: str) -> Iterator[tuple[str, int]]:
    for pair in position.split(","):
        if found := _PAIR.fullmatch(pair.strip()):
            yield found[1], int(found[2])
