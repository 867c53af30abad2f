"""Hashes and verifies passwords with bcrypt. Hashing is slow on purpose, so it runs in threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import bcrypt

_HASH_THREADS = 2
_BCRYPT_BYTES = 72
"""bcrypt uses this many bytes of a password in UTF-8. Sign-up allows no more, but a login attempt may be longer."""
_DEFAULT_ROUNDS = 12

# Few threads: a burst of logins waits in the queue of this pool and leaves the processor to bookings.
_hashing = ThreadPoolExecutor(_HASH_THREADS, thread_name_prefix="bcrypt")


async def hash_password(plain: str, rounds: int) -> str:
    """Return the bcrypt hash of a password. Each additional round doubles the work (12 rounds: 0.25 seconds)."""
    hashed = await asyncio.get_running_loop().run_in_executor(_hashing, _hash, plain, rounds)
    return hashed.decode("ascii")


async def verify_password(plain: str, hashed: str | None, rounds: int = _DEFAULT_ROUNDS) -> bool:
    """Return whether the password matches the hash. `hashed` is None if the account does not exist.

    For None the function hashes all the same, with `rounds`. So the response time does not tell which addresses have
    accounts. Pass the rounds that new hashes use.
    """
    loop = asyncio.get_running_loop()
    if hashed is None:
        await loop.run_in_executor(_hashing, _hash, plain, rounds)
        return False
    return await loop.run_in_executor(_hashing, bcrypt.checkpw, _truncated(plain), hashed.encode("ascii"))


def _hash(plain: str, rounds: int) -> bytes:
    return bcrypt.hashpw(_truncated(plain), bcrypt.gensalt(rounds))


def _truncated(plain: str) -> bytes:
    """Return the bytes of a password that bcrypt uses. Old versions ignored the rest; newer versions raise an error."""
    return plain.encode()[:_BCRYPT_BYTES]
