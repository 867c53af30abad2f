"""The fingerprint of a command: what shows that its id is used again for something else."""

from collections.abc import Sequence
from hashlib import blake2b

from hub.scheduling.values import Actor


def fingerprint_of(by: Actor, kind: str, doctor_id: str, content: Sequence[object]) -> str:
    """Return 16 hex digits of who gives a command of this kind to which doctor, and of what it says."""
    asked: list[object] = [by.role.value, by.id, kind, doctor_id, *content]
    return blake2b(repr(asked).encode(), digest_size=8).hexdigest()


def without_words(fingerprint: str) -> str:
    """Mark the fingerprint of a command whose words were erased, made as if it had had none.

    That of the words would confirm a guess of them. This one still tells a repetition from another command.
    """
    return f"erased {fingerprint}"
