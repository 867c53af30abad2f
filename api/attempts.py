"""How often one may try a door: log-ins and sign-ups, counted in this process's memory."""

import math
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from api.problems import Problem
from hub.clock import Clock
from hub.settings import Settings

Door = Literal["login", "signup"]


class Attempts:
    """Counts attempts, also those that succeed, by address and by account.

    The sliding window is the strategy whose clean-up needs no thread. Each process counts for itself: n processes
    let n times as many through, which still bounds what guessing can do.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._by_address: dict[Door, RateLimitItem] = {
            "login": RateLimitItemPerMinute(settings.logins_per_minute_per_address),
            "signup": RateLimitItemPerHour(settings.signups_per_hour_per_address),
        }
        self._by_account: dict[Door, RateLimitItem] = {
            "login": RateLimitItemPerMinute(settings.logins_per_minute),
            "signup": RateLimitItemPerHour(settings.signups_per_hour),
        }

    async def count(self, door: Door, address: str | None, email: str) -> None:
        """Count one attempt. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        # The address first: who is stopped there does not use up the attempts of somebody else's account.
        await self._hit(self._by_address[door], door, "address", _network(address))
        await self._hit(self._by_account[door], door, "account", email)

    async def _hit(self, limit: RateLimitItem, *key: str) -> None:
        if await self._limiter.hit(limit, *key):
            return
        stats = await self._limiter.get_window_stats(limit, *key)
        wait = math.ceil(stats.reset_time - self._clock().timestamp())
        wait = min(max(wait, 1), limit.get_expiry())
        raise Problem("too_many_requests", f"Try again in {wait} seconds.", headers={"Retry-After": str(wait)})


def _network(address: str | None) -> str:
    """Return what counts as one address: with IPv6 the whole /64, which is what one household or host is given."""
    if address is None:
        return "unknown"
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
