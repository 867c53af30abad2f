"""How the nemesis tells the processes under it to misbehave: by files in the folder in which they all run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Word = Literal["lose-replies", "delay-replies", "lose-notices", "delay-notices", "lose-notices-at-api", "stall"]

STALLS = "stalls_now"
"""What a process logs right before it stops itself."""
LOGGED: dict[Word, str] = {
    "lose-replies": "reply_lost",
    "delay-replies": "reply_delayed",
    "lose-notices": "notice_lost",
    "delay-notices": "notice_delayed",
    "lose-notices-at-api": "notice_lost_at_api",
}
"""What a process logs each time that it has done so."""


def is_asked(word: Word) -> bool:
    """Return whether the process shall misbehave in this way now."""
    return Path(word).exists()


def take(word: Word) -> bool:
    """Return whether the process shall, and let no other do it as well."""
    try:
        Path(word).unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def asked(folder: Path, word: Word) -> Iterator[None]:
    """Let the processes that run in this folder misbehave for the length of the block."""
    (folder / word).touch()
    try:
        yield
    finally:
        (folder / word).unlink(missing_ok=True)


class Logs:
    """Counts a word in what the processes of a folder have written since this was made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._from = {log: log.stat().st_size for log in folder.glob("*.log")}

    async def count(self, event: str) -> int:
        """Return how many lines there are of this event."""
        return await asyncio.to_thread(self._count, f'"event":"{event}"'.encode())

    def _count(self, wanted: bytes) -> int:
        found = 0
        for log in self._folder.glob("*.log"):
            with log.open("rb") as file:
                file.seek(self._from.get(log, 0))
                found += file.read().count(wanted)
        return found
