"""Refuses passwords that are tried first: those of leaked lists, and what everybody knows of the person.

Nothing leaves the hub: the list is part of it. It is short on purpose. A longer one would refuse passwords that nobody
gets to try at a log-in with limits.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Literal

Weakness = Literal["common_password", "personal_password"]
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SHORTEST_PART = 4
"""Shorter parts of a name are not compared: no password is as short."""


def weakness_of(password: str, *known: str | None) -> Weakness | None:
    """Return why nobody should have this password, if so. `known`: names and addresses that others know.

    A password is personal if it is one of these, or a part of one, whatever its case and its punctuation.
    """
    if password.casefold() in _common():
        return "common_password"
    plain = _plain(password)
    parts = {part for each in known if each for part in (each, each.partition("@")[0], *re.split(r"[\s@]+", each))}
    return "personal_password" if len(plain) >= _SHORTEST_PART and plain in map(_plain, parts) else None


@cache
def _common() -> frozenset[str]:
    listed = files("hub.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in listed.splitlines() if not line.startswith("#"))


def _plain(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).casefold()
