"""How fast somebody signed in may write, over REST and sockets together: a guard against a client that has gone wild.

It is counted in this process. What a write may do is decided elsewhere, so nothing is lost when n processes let n times
as much through; a count in the database would cost each booking another round trip.
"""

import math
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from api.http.problems import Problem
from hub.settings import Settings

_REMEMBERED = 50_000


class Pace:
    """Lets each user and each address write so many times a minute: a minute's worth at once, then evenly."""

    def __init__(self, settings: Settings, monotonic: Callable[[], float]) -> None:
        self._users = _Buckets(settings.writes_per_minute, monotonic)
        self._addresses = _Buckets(settings.writes_per_minute_per_address, monotonic)

    def count(self, user_id: str, address: str | None) -> None:
        """Count one write. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        network = network_of(address)
        if wait := max(self._users.wait(user_id), self._addresses.wait(network)):
            raise too_many(wait)  # takes nothing: who is stopped for others' sake, or stops others, loses no more by it
        self._users.take(user_id)
        self._addresses.take(network)


class _Buckets:
    """A bucket for each key, as the moment at which it will be full again (the "generic cell rate algorithm")."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._each = 60.0 / per_minute
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}

    def wait(self, key: str) -> float:
        """Return how many seconds it takes until there is one to take; 0 when there is."""
        beyond = self._full_at.get(key, 0.0) + self._each - self._monotonic() - 60.0
        return beyond if beyond > self._each / 2 else 0.0  # half of one, for a sum of fractions is never exact

    def take(self, key: str) -> None:
        """Take one."""
        now = self._monotonic()
        if len(self._full_at) >= _REMEMBERED:
            self._full_at = {each: at for each, at in self._full_at.items() if at > now}
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._each


def too_many(wait: float) -> Problem:
    """Return the problem of one who has to wait so many seconds."""
    seconds = max(1, math.ceil(wait))
    return Problem("too_many_requests", f"Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)})


def network_of(address: str | None) -> str:
    """Return what counts as one address: with IPv6 the whole /64, which is what one household or host is given."""
    if address is None:
        return "unknown"
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
