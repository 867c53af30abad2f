"""How often one may try a door: log-ins and sign-ups, counted in the database, so for all api processes together."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Literal

from api.http.rate_limits import network_of, too_many
from hub.accounts.ports import AttemptRecords
from hub.clock import Clock
from hub.settings import Settings

Door = Literal["login", "signup"]
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class _Limit:
    most: int
    window: timedelta


class Attempts:
    """Counts attempts, also those that succeed, by address and by account; those that are stopped are not counted.

    The window slides: what was counted in the last whole one counts for the part of it that still lies within.
    """

    def __init__(self, records: AttemptRecords, settings: Settings, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._by_address: dict[Door, _Limit] = {
            "login": _Limit(settings.logins_per_minute_per_address, _MINUTE),
            "signup": _Limit(settings.signups_per_hour_per_address, _HOUR),
        }
        self._by_account: dict[Door, _Limit] = {
            "login": _Limit(settings.logins_per_minute, _MINUTE),
            "signup": _Limit(settings.signups_per_hour, _HOUR),
        }

    async def count(self, door: Door, address: str | None, email: str) -> None:
        """Count one attempt. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        # The address first: who is stopped there does not use up the attempts of somebody else's account.
        await self._hit(self._by_address[door], f"{door}:address:{_hidden(network_of(address))}")
        await self._hit(self._by_account[door], f"{door}:account:{_hidden(email)}")

    async def _hit(self, limit: _Limit, key: str) -> None:
        number, passed = divmod(self._clock().timestamp(), limit.window.total_seconds())
        last, current = f"{key}:{int(number) - 1}", f"{key}:{int(number)}"
        share = passed / limit.window.total_seconds()
        counts = await self._records.counts([last, current])
        before = counts.get(last, 0)
        counted = counts.get(current, 0)
        if before * (1 - share) + counted + 1 <= limit.most:
            forgotten = datetime.fromtimestamp((number + 2) * limit.window.total_seconds(), UTC)
            # Counted in one step, for others may have come since: what it says is what decides.
            counted = await self._records.count(current, forgotten)
            if before * (1 - share) + counted <= limit.most:
                return
            counted -= 1
        raise too_many(_wait(limit, before, counted, share))


def _wait(limit: _Limit, before: int, counted: int, share: float) -> float:
    """Return the seconds until one more fits, if nobody else tries meanwhile."""
    left = limit.most - 1 - counted
    # Either when enough of the last window lies behind, or, in the next one, when enough of this one does.
    fits = 1 - left / max(before, 1) if left >= 0 else 2 - (limit.most - 1) / counted
    return math.ceil(max(fits - share, 0) * limit.window.total_seconds())


def _hidden(key: str) -> str:
    """Return what stands for an address in the database: whom people try to log in as is nobody's business there."""
    return blake2b(key.encode(), digest_size=16).hexdigest()
