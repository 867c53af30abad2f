import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from api.http.proxies import TrustedProxies
from hub.settings import Settings
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, make_services

OURS = ["10.0.0.0/8", "2001:db8::/32"]


def seen(remote: str, *forwarded: str, trusted: list[str] = OURS) -> str | None:
    headers = CIMultiDict([("X-Forwarded-For", each) for each in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return TrustedProxies(trusted).as_client_sent(request).remote


@pytest.mark.parametrize(
    ("remote", "forwarded", "sender"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("2001:db8::1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["2001:db9::7"], "2001:db9::7"),
        ("10.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),  # what the client put in front
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("10.0.0.1", ["[2001:db9::7]:4711, 10.0.0.2:80"], "2001:db9::7"),
        ("10.0.0.1", ["[2001:db9::7]"], "2001:db9::7"),
        ("10.0.0.1", ["192.0.2.7:"], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # nobody we know
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(
    remote: str, forwarded: list[str], sender: str
) -> None:
    assert seen(remote, *forwarded) == sender


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    assert seen("10.0.0.1", "192.0.2.7", trusted=[]) == "10.0.0.1"


async def test_rate_limits_use_the_client_address_behind_a_proxy(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(trusted_proxies=["127.0.0.1"], logins_per_minute_per_address=1))
    body = {"email": "carl@clinic.test", "password": PASSWORD}
    statuses = [
        (await clinic.ask("POST", "/api/v1/auth/patient/login", headers={"X-Forwarded-For": sender}, json=body)).status
        for sender in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert statuses == [200, 429, 200]


@pytest.mark.parametrize("network", ["10.0.0.1/8", "proxy", "10.0.0.0/33"])
def test_an_invalid_network_is_refused_as_a_setting(network: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings.model_validate({"trusted_proxies": [network]})


@pytest.mark.parametrize("origin", ["*", "desk.clinic.example", "https://desk.clinic.example/", "ftp://x", "https://"])
def test_an_invalid_origin_is_refused_as_a_setting(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        Settings.model_validate({"cors_origins": [origin]})
