import random
from datetime import timedelta

import pytest

from api.http.problems import Problem
from api.http.sign_in_rate_limits import SignInRateLimits
from hub.records.memory import MemoryRecords
from hub.settings import Settings
from tests.api.rest_clinic import HandClock


def limits(**settings: int) -> SignInRateLimits:
    return SignInRateLimits(MemoryRecords().attempts, Settings.model_validate(settings), HandClock())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::2"),
        ("fe80::1%eth0", "fe80::2"),
        (None, None),
    ],
)
async def test_one_network_is_one_address(first: str | None, second: str | None) -> None:
    counted = limits(logins_per_minute_per_address=1)
    await counted.count("login", first, "carl@clinic.test")
    with pytest.raises(Problem, match="too_many_requests"):
        await counted.count("login", second, "dora@clinic.test")


@pytest.mark.parametrize(("first", "second"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")])
async def test_two_networks_are_two_addresses(first: str, second: str) -> None:
    counted = limits(logins_per_minute_per_address=1)
    await counted.count("login", first, "carl@clinic.test")
    await counted.count("login", second, "dora@clinic.test")


async def test_an_attempt_refused_by_address_does_not_count_for_the_account() -> None:
    counted = limits(logins_per_minute_per_address=1, logins_per_minute=1)
    await counted.count("login", "192.0.2.1", "dora@clinic.test")
    with pytest.raises(Problem):
        await counted.count("login", "192.0.2.1", "carl@clinic.test")
    await counted.count("login", "192.0.2.2", "carl@clinic.test")


async def test_sign_ups_and_log_ins_are_counted_separately() -> None:
    counted = limits(logins_per_minute=1, signups_per_hour=1)
    await counted.count("signup", "192.0.2.1", "carl@clinic.test")
    await counted.count("login", "192.0.2.1", "carl@clinic.test")


async def test_all_processes_share_the_counts() -> None:
    records, clock, settings = MemoryRecords(), HandClock(), Settings.model_validate({"logins_per_minute": 3})
    processes = [SignInRateLimits(records.attempts, settings, clock) for _ in range(3)]
    for process in processes:
        await process.count("login", "192.0.2.1", "carl@clinic.test")
    for process in processes:
        with pytest.raises(Problem):
            await process.count("login", "192.0.2.1", "carl@clinic.test")


async def test_retry_after_is_long_enough_and_not_longer_than_needed() -> None:
    chance = random.Random(7)
    clock = HandClock()
    limit = 5
    counted = SignInRateLimits(MemoryRecords().attempts, Settings.model_validate({"logins_per_minute": limit}), clock)
    await counted.logged_in(None, "carl@clinic.test")  # so that the limit of strangers does not count
    waited = 0
    for _ in range(300):
        try:
            await counted.count("login", None, "carl@clinic.test")
        except Problem as problem:
            wait = int((problem.headers or {})["Retry-After"])
            assert 1 <= wait <= 120
            waited += 1
            if wait > 2:
                clock.forward(timedelta(seconds=wait - 2))
                with pytest.raises(Problem):
                    await counted.count("login", None, "carl@clinic.test")
                clock.forward(timedelta(seconds=2))
            else:
                clock.forward(timedelta(seconds=wait))
            await counted.count("login", None, "carl@clinic.test")
        clock.forward(timedelta(seconds=chance.uniform(0, 12)))
    assert waited > 10


async def test_the_store_holds_no_readable_address_of_an_attempt() -> None:
    records = MemoryRecords()
    await SignInRateLimits(records.attempts, Settings(), HandClock()).count("login", "192.0.2.1", "carl@clinic.test")
    assert len(records.attempts._counts) == 3
    assert not [key for key in records.attempts._counts if "carl" in key or "192.0.2" in key]


async def test_guesses_from_one_network_do_not_keep_the_owner_out() -> None:
    counted = limits(logins_per_minute=3)
    for _ in range(3):
        await counted.count("login", "192.0.2.1", "carl@clinic.test")
    with pytest.raises(Problem):
        await counted.count("login", "192.0.2.1", "carl@clinic.test")
    await counted.count("login", "198.51.100.7", "carl@clinic.test")


async def test_guesses_from_many_networks_are_limited_and_the_owners_own_network_passes() -> None:
    counted = limits(logins_per_minute=1)
    await counted.logged_in("198.51.100.7", "carl@clinic.test")
    for number in range(20):
        await counted.count("login", f"192.0.2.{number}", "carl@clinic.test")
    with pytest.raises(Problem):
        await counted.count("login", "192.0.2.200", "carl@clinic.test")
    await counted.count("login", "192.0.2.200", "dora@clinic.test")
    await counted.count("login", "198.51.100.7", "carl@clinic.test")


async def test_the_networks_of_a_site_are_limited_together() -> None:
    counted = limits(logins_per_minute_per_address=1)
    for number in range(16):
        await counted.count("login", f"2001:db8:0:{number:x}::1", f"person{number}@clinic.test")
    with pytest.raises(Problem):
        await counted.count("login", "2001:db8:0:ff::1", "carl@clinic.test")
    await counted.count("login", "2001:db8:1::1", "carl@clinic.test")
