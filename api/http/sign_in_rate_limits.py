"""Limits on log-ins and sign-ups, counted in the database and therefore for all api processes together."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Literal

from api.http.problems import Problem
from api.http.rate_limits import NETWORKS_OF_A_SITE, network_of, site_of, too_many_requests
from hub.accounts.ports import AttemptRecords
from hub.clock import Clock
from hub.settings import Settings

Action = Literal["login", "signup", "code", "second_factor"]
_SECOND_FACTORS_PER_HOUR = 30
"""Who guesses knows the password already: of a million codes three are right at any time."""
_STRANGERS = 20
"""So many times the limit of a minute holds for an hour, over all networks that the owner has not used."""
KNOWN_FOR = timedelta(days=90)
"""How long a network or a device is known from which the owner of an account has logged in."""
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most `attempts` in any `window`, estimated by a sliding window."""

    attempts: int
    window: timedelta


class SharedRateLimit:
    """A sliding window by key, in the database.

    The count of the last whole window weighs as much as the part of it that still lies within the sliding one. An
    attempt that is refused is not counted.
    """

    def __init__(self, records: AttemptRecords, limit: Limit, clock: Clock) -> None:
        self._records = records
        self._limit = limit
        self._clock = clock

    async def count(self, key: str) -> None:
        """Count one attempt. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        most, window = self._limit.attempts, self._limit.window.total_seconds()
        number, passed = divmod(self._clock().timestamp(), window)
        last, current = f"{key}:{int(number) - 1}", f"{key}:{int(number)}"
        share = passed / window
        counts = await self._records.counts([last, current])
        before = counts.get(last, 0)
        counted = counts.get(current, 0)
        if before * (1 - share) + counted + 1 <= most:
            forgotten = datetime.fromtimestamp((number + 2) * window, UTC)
            # Another process may have counted since the read, so the number that the increment returns decides.
            counted = await self._records.count(current, forgotten)
            if before * (1 - share) + counted <= most:
                return
            counted -= 1
        raise too_many_requests(_wait(self._limit, before, counted, share))


class SignInRateLimits:
    """Limits log-ins, sign-ups and codes by text, successful ones included, by address and by account.

    Log-ins to an account are limited for each network, so that guesses of others do not keep the owner out. Guesses
    from many networks meet a limit of the account for all networks together from which nobody has logged in to it
    lately; the owner's usual networks pass it. A browser in which the owner has logged in before has a limit of its own
    (a "device cookie"), so that guesses from the owner's own network do not keep the owner out either.
    """

    def __init__(self, records: AttemptRecords, settings: Settings, clock: Clock) -> None:
        def limit(attempts: int, window: timedelta) -> SharedRateLimit:
            return SharedRateLimit(records, Limit(attempts, window), clock)

        self._records = records
        self._clock = clock
        by_address: dict[Action, tuple[int, timedelta]] = {
            "login": (settings.logins_per_minute_per_address, _MINUTE),
            "signup": (settings.signups_per_hour_per_address, _HOUR),
            "code": (settings.codes_per_hour_per_address, _HOUR),
            "second_factor": (settings.logins_per_minute_per_address, _MINUTE),
        }
        self._by_address = {action: limit(*most) for action, most in by_address.items()}
        self._by_site = {
            action: limit(NETWORKS_OF_A_SITE * most, within) for action, (most, within) in by_address.items()
        }
        self._by_account: dict[Action, SharedRateLimit] = {
            "login": limit(settings.logins_per_minute, _MINUTE),
            "signup": limit(settings.signups_per_hour, _HOUR),
            "code": limit(settings.codes_per_hour, _HOUR),
            "second_factor": limit(_SECOND_FACTORS_PER_HOUR, _HOUR),
        }
        self._of_strangers = limit(_STRANGERS * settings.logins_per_minute, _HOUR)

    async def count(self, action: Action, address: str | None, account: str, device: str | None = None) -> None:
        """Count one attempt. Raises `Problem` too_many_requests (429) with the seconds to wait in Retry-After."""
        network, who = _hashed(network_of(address)), _hashed(account)
        if device and action == "login" and await self._is_known(used := _known(who, f"device:{_hashed(device)}")):
            await self._by_account[action].count(f"{action}:{used}")
            return
        # The address first: an attempt that is refused there must not use up the attempts of another person's account.
        await self._by_address[action].count(f"{action}:address:{network}")
        if (site := site_of(address)) is not None:
            await self._by_site[action].count(f"{action}:site:{_hashed(site)}")
        if action != "login":
            await self._by_account[action].count(f"{action}:account:{who}")
            return
        await self._by_account[action].count(f"{action}:account:{who}:{network}")
        if not await self._is_known(_known(who, network)):
            await self._of_strangers.count(f"{action}:strangers:{who}")

    async def may_tell(self, account: str) -> bool:
        """Count a text to the phone of an account that a stranger can cause; return whether it may be sent.

        There may be as many as codes. They are counted apart, so that a stranger uses up no code of the owner.
        """
        try:
            await self._by_account["code"].count(f"news:account:{_hashed(account)}")
        except Problem:
            return False
        return True

    async def logged_in(self, address: str | None, account: str, device: str | None = None) -> None:
        """Remember that the owner of the account has logged in from this network, and with this device."""
        who, places = _hashed(account), [_hashed(network_of(address))]
        if device:
            places.append(f"device:{_hashed(device)}")
        for place in places:
            if not await self._is_known(known := _known(who, place)):
                await self._records.count(known, self._clock() + KNOWN_FOR)

    async def _is_known(self, known: str) -> bool:
        return known in await self._records.counts([known])

    async def forget(self, account: str) -> None:
        """Remove the counters of an account, by its e-mail address, id or phone, and from where its owner logs in."""
        who = _hashed(account)
        actions = ("login", "signup", "code", "second_factor", "news")
        counters = [f"{action}:account:{who}" for action in actions]
        await self._records.forget([*counters, f"login:strangers:{who}", f"known:{who}", f"login:known:{who}"])


def _known(who: str, place: str) -> str:
    return f"known:{who}:{place}"


def _wait(limit: Limit, before: int, counted: int, share: float) -> float:
    """Return the seconds until one more attempt fits, if no other attempt comes meanwhile."""
    left = limit.attempts - 1 - counted
    # Either when enough of the last window has passed, or, in the next window, when enough of this one has.
    fits = 1 - left / max(before, 1) if left >= 0 else 2 - (limit.attempts - 1) / counted
    return math.ceil(max(fits - share, 0) * limit.window.total_seconds())


def _hashed(key: str) -> str:
    """Return the key in the database for an e-mail or network address, which must not be readable there."""
    return blake2b(key.encode(), digest_size=16).hexdigest()
