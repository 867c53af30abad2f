"""The positions that a user has seen over REST, so that no process answers a read from before them."""

import re
from collections.abc import Iterator

_PAIR = re.compile(r"([A-Za-z0-9_-]{1,64})=(\d{1,15})", re.ASCII)
_MOST = 100
"""Doctors whose positions are sent: those of the latest answers. The header then has at most 8 KB."""


class Positions:
    """The highest `seq` of each doctor in any answer so far."""

    def __init__(self) -> None:
        self._seqs: dict[str, int] = {}

    def note(self, position: str) -> None:
        """Take the `Position` header of an answer, empty for none."""
        for doctor_id, seq in _pairs(position):
            self._seqs[doctor_id] = max(seq, self._seqs.pop(doctor_id, 0))
        while len(self._seqs) > _MOST:
            del self._seqs[next(iter(self._seqs))]

    @property
    def headers(self) -> dict[str, str]:
        """The header to send with a read."""
        known = ", ".join(f"{doctor_id}={seq}" for doctor_id, seq in self._seqs.items())
        return {"If-Position": known} if known else {}


def _pairs(position: str) -> Iterator[tuple[str, int]]:
    for pair in position.split(","):
        if found := _PAIR.fullmatch(pair.strip()):
            yield found[1], int(found[2])
