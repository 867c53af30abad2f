"""The changelog of the table of doctors, and what a worker that takes over may find of it."""

import random
from typing import Any


class Changelog(dict[bytes, list[dict[str, Any] | None]]):
    """Every value that a worker has written for a key; None: it was removed."""

    def recover(self, entries: "Entries", number: int) -> None:
        """Let a table have what was last written or, with an odd number, for some keys what was written before."""
        chance = random.Random(number)
        entries.clear()
        for key, values in self.items():
            value = chance.choice(values) if number % 2 and chance.random() < 0.5 else values[-1]
            if value is not None:
                dict.__setitem__(entries, key, value)


class Entries(dict[bytes, dict[str, Any]]):
    """The table of one worker. What it writes is appended to the changelog."""

    def __init__(self, changelog: Changelog) -> None:
        super().__init__()
        self._changelog = changelog

    def __setitem__(self, key: bytes, value: dict[str, Any]) -> None:
        self._changelog.setdefault(key, [None]).append(value)
        super().__setitem__(key, value)

    def pop(self, key: bytes, *default: object) -> object:
        self._changelog.setdefault(key, [None]).append(None)
        return super().pop(key, *default)
