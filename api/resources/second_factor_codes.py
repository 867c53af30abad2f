"""Checks codes of second factors: each is good once."""

from datetime import timedelta

from api.services import Services
from hub.accounts.account import Account
from hub.accounts.second_factor import recovery_hash, step_of

_KEPT = timedelta(minutes=5)
"""Longer than a code of the app is right."""
_FOR_GOOD = timedelta(days=3650)


async def is_right(services: Services, address: str | None, account: Account, code: str) -> bool:
    """Return whether this is a code of the account's second factor that has not been used. It is used up by that.

    Raises `Problem` (429) after many tries.
    """
    await services.sign_in_rate_limits.count("second_factor", address, account.id)
    factor, now = account.second_factor, services.clock()
    if factor is None:
        return False
    if (step := step_of(factor, code, now)) is not None:
        return await services.records.attempts.count(f"totp:{account.id}:{step}", now + _KEPT) == 1
    hashed = recovery_hash(code)
    if hashed not in factor.recovery_hashes:
        return False
    if await services.records.attempts.count(f"recovery:{hashed}", now + _FOR_GOOD) != 1:
        return False
    left = tuple(each for each in factor.recovery_hashes if each != hashed)
    after = account.model_copy(update={"second_factor": factor.model_copy(update={"recovery_hashes": left})})
    await services.records.users.change(account, after)
    return True
