"""The only maker of ids."""

import secrets
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

_COMMANDS = UUID("6f1d4b52-6f0a-4c43-9d0b-0c2a8a7b1f10")


def new_id() -> str:
    """Return a fresh id: a UUIDv7, so ids made later sort later."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """Return the id that these parts always give (UUIDv5); for ids that any process must be able to make again.

    The parts are joined with a character that none of them may hold, so `("a", "bc")` and `("ab", "c")` differ.
    """
    return str(uuid5(_COMMANDS, "\x1f".join(parts)))


def instance_id() -> str:
    """Return a short name for this run of a process, for topics and logs."""
    return secrets.token_hex(4)


def new_secret() -> str:
    """Return 256 bits from the operating system's generator as URL-safe text, for tokens and keys."""
    return secrets.token_urlsafe(32)
