"""Passwords, kept as bcrypt hashes. Hashing is slow on purpose, so it runs beside the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import bcrypt

_AT_ONCE = 2
_BCRYPT_BYTES = 72
"""What bcrypt reads of a password, in UTF-8. Sign-up allows no more; what is longer still gets here at a log-in."""
_USUAL_ROUNDS = 12

# Few threads: a wave of log-ins waits here, in a queue, and leaves the processor to the bookings.
_hashing = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bcrypt")


async def hash_password(plain: str, rounds: int) -> str:
    """Return the bcrypt hash of a password; each round more doubles the work (12 rounds: a quarter of a second)."""
    hashed = await asyncio.get_running_loop().run_in_executor(_hashing, _hash, plain, rounds)
    return hashed.decode("ascii")


async def verify_password(plain: str, hashed: str | None, rounds: int = _USUAL_ROUNDS) -> bool:
    """Return whether this is the password of the hash.

    None stands for an account that does not exist. It takes the work of `rounds` all the same, so that the time an
    answer takes does not tell which addresses have accounts; pass the rounds that new hashes are made with.
    """
    loop = asyncio.get_running_loop()
    if hashed is None:
        await loop.run_in_executor(_hashing, _hash, plain, rounds)
        return False
    return await loop.run_in_executor(_hashing, bcrypt.checkpw, _readable(plain), hashed.encode("ascii"))


def _hash(plain: str, rounds: int) -> bytes:
    return bcrypt.hashpw(_readable(plain), bcrypt.gensalt(rounds))


def _readable(plain: str) -> bytes:
    """Return what bcrypt has always read of a password; its newer versions raise when there is more."""
    return plain.encode()[:_BCRYPT_BYTES]
