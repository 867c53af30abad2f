"""Hashes and verifies passwords with bcrypt. Hashing is slow on purpose, so it runs in threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

T = TypeVar("T")

_HASH_THREADS = 2
_BCRYPT_BYTES = 72
"""bcrypt uses this many bytes of a password in UTF-8. Sign-up allows no more, but a login attempt may be longer."""
_DEFAULT_ROUNDS = 12
_MOST_WAITING = 256
"""With two cores and 12 rounds, half a minute of work: who comes then would wait for an answer for too long."""


class HashingBusy(Exception):
    """So many passwords wait to be hashed that this one was not added to them."""


class Hashing:
    """Threads that hash, and the number of passwords that they have taken or that wait for them."""

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")
        self._most = threads + most_waiting
        self._taken = 0

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Return what `work` returns, from a thread. A caller that is cancelled while it waits is taken out.

        Raises `HashingBusy`.
        """
        if self._taken >= self._most:
            raise HashingBusy
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._taken -= 1


# Few threads: a burst of logins waits for them and leaves the processor to bookings.
_hashing = Hashing(_HASH_THREADS, _MOST_WAITING)


async def hash_password(plain: str, rounds: int) -> str:
    """Return the bcrypt hash of a password. Each additional round doubles the work (12 rounds: 0.25 seconds).

    Raises `HashingBusy`.
    """
    hashed = await _hashing.run(_hash, plain, rounds)
    return hashed.decode("ascii")


async def verify_password(plain: str, hashed: str | None, rounds: int = _DEFAULT_ROUNDS) -> bool:
    """Return whether the password matches the hash. `hashed` is None if the account does not exist.

    For None the function hashes all the same, with `rounds`. So the response time does not tell which addresses have
    accounts. Pass the rounds that new hashes use. Raises `HashingBusy`.
    """
    if hashed is None:
        await _hashing.run(_hash, plain, rounds)
        return False
    return await _hashing.run(bcrypt.checkpw, _truncated(plain), hashed.encode("ascii"))


def has_fewer_rounds(hashed: str, rounds: int) -> bool:
    """Return whether a bcrypt hash ($2b$12$…) was made with fewer rounds than these."""
    _, _, made, _ = hashed.split("$", 3)
    return int(made) < rounds


def _hash(plain: str, rounds: int) -> bytes:
    return bcrypt.hashpw(_truncated(plain), bcrypt.gensalt(rounds))


def _truncated(plain: str) -> bytes:
    """Return the bytes of a password that bcrypt uses. Old versions ignored the rest; newer versions raise an error."""
    return plain.encode()[:_BCRYPT_BYTES]
