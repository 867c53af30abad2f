"""The second factor of doctors and receptionists: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

The secret of an app has to be stored as it is, so who reads the database can make codes. Recovery codes are hashed:
they are long and random, so unlike a password they need no slow hash.
"""

from datetime import datetime
from hashlib import sha256

import pyotp

from hub.ids import new_recovery_code
from hub.scheduling.values import Value

RECOVERY_CODES = 10
STEP = 30
"""Seconds for which an app shows one code."""
_SECRET_LENGTH = 32
"""Characters of base32: 160 bits, as RFC 4226 recommends."""


class SecondFactor(Value):
    """The second factor of an account. It counts once it is `confirmed` by a first code."""

    secret: str
    confirmed: bool = False
    recovery_hashes: tuple[str, ...] = ()


def new_factor() -> SecondFactor:
    """Return a second factor that has to be confirmed."""
    return SecondFactor(secret=pyotp.random_base32(_SECRET_LENGTH))


def address_of(factor: SecondFactor, account_name: str, clinic_name: str) -> str:
    """Return the otpauth URI, which an authenticator app reads from a QR code or from a link."""
    return pyotp.TOTP(factor.secret).provisioning_uri(name=account_name, issuer_name=clinic_name)


def step_of(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """Return the number of the half minute whose code this is, the one before and the next included; None if none."""
    totp, current = pyotp.TOTP(factor.secret), int(now.timestamp()) // STEP
    steps = (current + ahead for ahead in (0, -1, 1))
    return next((step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), code)), None)


def new_recovery_codes() -> list[str]:
    """Return fresh recovery codes, each good once."""
    return [new_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> str:
    """Return the hash of a recovery code, however it is written."""
    return sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()
