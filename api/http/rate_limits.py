"""Token buckets, counted in the memory of this process, and the limit on writes that is made of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from api.http.problems import Problem
from hub.settings import Settings

Monotonic = Callable[[], float]
"""A clock that never goes back, in seconds, such as `time.monotonic`."""

NETWORKS_OF_A_SITE = 16
"""So many times the limit of a network of IPv6 (/64) holds for the whole site (/48), which has 65,536 of them."""
_UPLOADS_PER_MINUTE = 20
_MAX_BUCKETS = 50_000
"""When there are this many buckets, full ones are dropped: a full bucket is the same as a new one."""


@dataclass(frozen=True)
class Rate:
    """`burst` tokens at once, and `per_second` tokens in the long run."""

    burst: int
    per_second: float

    @property
    def interval(self) -> float:
        """Seconds in which a bucket gains one token."""
        return 1 / self.per_second


def per_minute(limit: int) -> Rate:
    """Return the rate that allows a minute's worth at once, then an even rate."""
    return Rate(limit, limit / 60)


class TokenBucket:
    """A full bucket at first. It is stored as the moment at which it will be full again (GCRA)."""

    __slots__ = ("_full_at", "_monotonic", "_rate")

    def __init__(self, rate: Rate, monotonic: Monotonic) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._full_at = monotonic()

    def wait(self) -> float:
        """Return the seconds until there is a token; 0 when there is one now."""
        interval = self._rate.interval
        missing = self._full_at + interval - self._monotonic() - self._rate.burst * interval
        # Half an interval of tolerance: a sum of many intervals is not exact in floating point.
        return missing if missing > interval / 2 else 0.0

    def take(self) -> None:
        """Take one token. An empty bucket goes into debt, which makes the next wait longer."""
        self._full_at = max(self._full_at, self._monotonic()) + self._rate.interval

    @property
    def full(self) -> bool:
        """Whether every token is there."""
        return self._full_at <= self._monotonic()


class TokenBuckets:
    """One token bucket for each key, all with the same rate."""

    def __init__(self, rate: Rate, monotonic: Monotonic, max_buckets: int = _MAX_BUCKETS) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._max_buckets = max_buckets
        self._buckets: dict[str, TokenBucket] = {}

    def wait(self, key: str) -> float:
        """Return the seconds until there is a token for this key; 0 when there is one now."""
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else bucket.wait()

    def take(self, key: str) -> None:
        """Take one token of this key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._max_buckets:
                self._buckets = {each: bucket for each, bucket in self._buckets.items() if not bucket.full}
            bucket = self._buckets[key] = TokenBucket(self._rate, self._monotonic)
        bucket.take()


class AddressBuckets:
    """Token buckets of network addresses; with IPv6 of the site (/48), too, at so many times the rate."""

    def __init__(self, limit: int, monotonic: Monotonic) -> None:
        self._networks = TokenBuckets(per_minute(limit), monotonic)
        self._sites = TokenBuckets(per_minute(NETWORKS_OF_A_SITE * limit), monotonic)

    def wait(self, address: str | None) -> float:
        """Return the seconds until there is a token; 0 when there is one now."""
        site = site_of(address)
        return max(self._networks.wait(network_of(address)), self._sites.wait(site) if site else 0.0)

    def take(self, address: str | None) -> None:
        """Take one token."""
        self._networks.take(network_of(address))
        if site := site_of(address):
            self._sites.take(site)


class WriteRateLimit:
    """Limits the writes of each user and of each address, over REST and sockets together.

    It protects the hub from a client that sends writes in a loop. Each api process counts for itself: n processes let
    through n times as many writes, which does no harm. A count in the database would cost each booking a round trip.
    """

    def __init__(self, settings: Settings, monotonic: Monotonic) -> None:
        self._users = TokenBuckets(per_minute(settings.writes_per_minute), monotonic)
        self._addresses = AddressBuckets(settings.writes_per_minute_per_address, monotonic)

    def count(self, user_id: str, address: str | None) -> None:
        """Count one write. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        # A write that is refused takes no token, neither of the user nor of the address.
        if wait := max(self._users.wait(user_id), self._addresses.wait(address)):
            raise too_many_requests(wait)
        self._users.take(user_id)
        self._addresses.take(address)


class ReadRateLimit:
    """Limits the reads of each user, in the memory of this process as `WriteRateLimit`. Nobody reads as often."""

    def __init__(self, settings: Settings, monotonic: Monotonic) -> None:
        self._users = TokenBuckets(per_minute(settings.reads_per_minute), monotonic)

    def count(self, user_id: str) -> None:
        """Count one read. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        if wait := self._users.wait(user_id):
            raise too_many_requests(wait)
        self._users.take(user_id)


class UploadRateLimit:
    """Limits the uploads of each user: each takes megabytes, and a second of a processor."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._users = TokenBuckets(per_minute(_UPLOADS_PER_MINUTE), monotonic)

    def count(self, user_id: str) -> None:
        """Count one upload. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        if wait := self._users.wait(user_id):
            raise too_many_requests(wait)
        self._users.take(user_id)


class VisitorRateLimit:
    """Limits what comes from each address without an access token, in the memory of this process."""

    def __init__(self, settings: Settings, monotonic: Monotonic) -> None:
        self._addresses = AddressBuckets(settings.visitor_reads_per_minute_per_address, monotonic)

    def count(self, address: str | None) -> None:
        """Count one request. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        if wait := self._addresses.wait(address):
            raise too_many_requests(wait)
        self._addresses.take(address)


def too_many_requests(wait: float) -> Problem:
    """Return the problem (429) that asks the client to wait, at least one second; `wait` is in seconds."""
    seconds = max(1, math.ceil(wait))
    return Problem("too_many_requests", f"Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)})


def network_of(address: str | None) -> str:
    """Return what counts as one address: the address itself with IPv4, the /64 network with IPv6.

    A household or a host is given a whole /64, so it can change its address at will within it.
    """
    if address is None:
        return "unknown"
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def site_of(address: str | None) -> str | None:
    """Return the /48 network of an IPv6 address, which is what a provider gives a site; None for IPv4."""
    if address is None:
        return None
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network((parsed, 48), strict=False)) if isinstance(parsed, IPv6Address) else None
