"""Signatures of commands. An actor carries out only what a process with the hub's key has sent.

Whoever can write to the command topic could otherwise act as any patient, doctor or receptionist, or as the hub itself.
"""

import hmac
from collections.abc import Iterable
from hashlib import blake2b

from hub.accounts.tokens import key_id
from hub.scheduling.decision import RefusalCode, Refused

SIGNATURE = "signature"
"""The message header with the signature: the id of the key, a dot, and HMAC-SHA256 in hex."""
NOT_SIGNED = Refused(RefusalCode.FORBIDDEN, "The command has no signature of this hub.")
"""The answer to a command whose signature is missing, wrong, or made with a key that is not listed."""


class CommandSignatures:
    """Signs commands and checks signatures. The secrets are those of access tokens (`hub.accounts.tokens`).

    Commands are signed with a key derived from `secret`. Signatures with one of the `retired` secrets are accepted too.
    A signature costs 2 to 4 µs, as does its check.
    """

    def __init__(self, secret: str, retired: Iterable[str] = ()) -> None:
        self._kid = key_id(secret)
        self._keys = {key_id(each): _key(each) for each in (*retired, secret)}

    def sign(self, encoded: bytes, reply_topic: bytes = b"") -> bytes:
        """Return the signature of an encoded command that is to be answered on this topic (empty: nowhere)."""
        return f"{self._kid}.{_digest(self._keys[self._kid], encoded, reply_topic)}".encode()

    def is_valid(self, signature: bytes | None, encoded: bytes, reply_topic: bytes = b"") -> bool:
        """Return whether the hub has signed exactly this command and reply topic."""
        kid, _, digest = (signature or b"").partition(b".")
        key = self._keys.get(kid.decode(errors="replace"))
        return key is not None and hmac.compare_digest(_digest(key, encoded, reply_topic).encode(), digest)


def _key(secret: str) -> bytes:
    """Return a key that is used for nothing else: a signed command is no token, and a token signs no command."""
    return blake2b(secret.encode(), digest_size=32, person=b"clinic-hub cmd").digest()


def _digest(key: bytes, encoded: bytes, reply_topic: bytes) -> str:
    return hmac.digest(key, reply_topic + b"\n" + encoded, "sha256").hex()
