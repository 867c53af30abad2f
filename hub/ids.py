"""The only module that creates ids and secrets."""

import base64
import secrets
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

_NAMESPACE = UUID("6f1d4b52-6f0a-4c43-9d0b-0c2a8a7b1f10")


def new_id() -> str:
    """Return a new UUIDv7. Ids created later sort later."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """Return a UUIDv5 derived from the parts: every process derives the same id from the same parts.

    The parts are joined with a character that no part may contain, so `("a", "bc")` and `("ab", "c")` differ.
    """
    return str(uuid5(_NAMESPACE, "\x1f".join(parts)))


def instance_id() -> str:
    """Return a short random name for one run of a process. It is used in topic names and logs."""
    return secrets.token_hex(4)


def new_secret() -> str:
    """Return 256 random bits from the operating system as URL-safe text, for tokens and keys."""
    return secrets.token_urlsafe(32)


def new_code(digits: int) -> str:
    """Return a random number of this many digits, zeros in front included, for people to type."""
    return f"{secrets.randbelow(10**digits):0{digits}}"


def new_recovery_code() -> str:
    """Return 80 random bits for people to write down, as "abcd-efgh-ijkl-mnop"."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[first : first + 4] for first in range(0, len(letters), 4))
