import pytest

from api.attempts import Attempts
from api.problems import Problem
from hub.settings import Settings
from tests.api.clinic import HandClock


def attempts(**settings: int) -> Attempts:
    return Attempts(Settings.model_validate(settings), HandClock())


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
    counted = attempts(logins_per_minute_per_address=1)
    await counted.count("login", first, "carl@clinic.test")
    with pytest.raises(Problem, match="too_many_requests"):
        await counted.count("login", second, "dora@clinic.test")


@pytest.mark.parametrize(("first", "second"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")])
async def test_two_networks_are_two_addresses(first: str, second: str) -> None:
    counted = attempts(logins_per_minute_per_address=1)
    await counted.count("login", first, "carl@clinic.test")
    await counted.count("login", second, "dora@clinic.test")


async def test_who_is_stopped_by_address_does_not_use_up_an_account() -> None:
    counted = attempts(logins_per_minute_per_address=1, logins_per_minute=1)
    await counted.count("login", "192.0.2.1", "dora@clinic.test")
    with pytest.raises(Problem):
        await counted.count("login", "192.0.2.1", "carl@clinic.test")
    await counted.count("login", "192.0.2.2", "carl@clinic.test")


async def test_signing_up_and_logging_in_are_counted_apart() -> None:
    counted = attempts(logins_per_minute=1, signups_per_hour=1)
    await counted.count("signup", "192.0.2.1", "carl@clinic.test")
    await counted.count("login", "192.0.2.1", "carl@clinic.test")
