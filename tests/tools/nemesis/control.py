"""Switches faults inside the processes on and off, by files in their working directory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Misbehaviour = Literal["lose-replies", "delay-replies", "lose-notices", "delay-notices", "lose-notices-at-api", "stall"]

STALLS = "stalls_now"
"""Logged by a process just before it stops itself."""
LOGGED: dict[Misbehaviour, str] = {
    "lose-replies": "reply_lost",
    "delay-replies": "reply_delayed",
    "lose-notices": "notice_lost",
    "delay-notices": "notice_delayed",
    "lose-notices-at-api": "notice_lost_at_api",
}
"""Logged by a process each time it has injected the fault."""


def is_asked(word: Misbehaviour) -> bool:
    """Whether this fault is switched on."""
    return Path(word).exists()


def take(word: Misbehaviour) -> bool:
    """Whether this fault is switched on. Switches it off, so that only one process has it."""
    try:
        Path(word).unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def asked(folder: Path, word: Misbehaviour) -> Iterator[None]:
    """Switch a fault on for the processes of this directory, during the block."""
    (folder / word).touch()
    try:
        yield
    finally:
        (folder / word).unlink(missing_ok=True)


class Logs:
    """Counts log lines that the processes of a folder write from now on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._from = {log: log.stat().st_size for log in folder.glob("*.log")}

    async def count(self, event: str) -> int:
        """Return the number of lines with this event."""
        return await asyncio.to_thread(self._count, f'"event":"{event}"'.encode())

    def _count(self, wanted: bytes) -> int:
        found = 0
        for log in self._folder.glob("*.log"):
            with log.open("rb") as file:
                file.seek(self._from.get(log, 0))
                found += file.read().count(wanted)
        return found
