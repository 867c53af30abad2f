"""The documents name the address that the client asked, and never what only another client sent."""

from collections.abc import Mapping

import pytest
from aiohttp.test_utils import make_mocked_request

from api.http.proxies import TrustedProxies
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import RestClinic, make_services

PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "clinic.example", "Host": "10.0.0.9:8123"}


async def addresses(clinic: RestClinic, headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the address of the sockets and of the REST api, as the documents say."""
    sockets = (await clinic.ask("GET", "/asyncapi.json", headers=headers)).body["servers"]["here"]
    rest = (await clinic.ask("GET", "/openapi.json", headers=headers)).body["servers"]
    assert rest[0]["url"] == "/"  # what the pages use
    return f"{sockets['protocol']}://{sockets['host']}{sockets['pathname']}", rest[1]["url"]


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "desk.clinic.example", "[::1]:8123", "clinic_api:80"])
async def test_the_documents_name_the_host_and_port_asked(clinic: RestClinic, host: str) -> None:
    assert await addresses(clinic, {"Host": host}) == (f"ws://{host}/socket.io/", f"http://{host}")


async def test_the_address_asked_is_that_of_the_server_without_any_header(clinic: RestClinic) -> None:
    here = str(clinic.client.make_url("/")).rstrip("/")
    assert await addresses(clinic, {}) == (here.replace("http", "ws") + "/socket.io/", here)


async def test_two_hosts_are_each_named_in_their_own_answer(clinic: RestClinic) -> None:
    for host in ("one.example", "two.example", "one.example"):
        answer = await clinic.ask("GET", "/asyncapi.json", headers={"Host": host})
        assert answer.body["servers"]["here"]["host"] == host
        assert answer.headers["Cache-Control"] == "no-store"  # nor may a cache between us give it to another host


async def test_behind_a_trusted_proxy_the_documents_name_what_the_client_asked(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(trusted_proxies=["127.0.0.1"]))
    assert await addresses(clinic, PROXY) == ("wss://clinic.example/socket.io/", "https://clinic.example")
    tls_only = {"X-Forwarded-Proto": "https", "Host": "clinic.example:8443"}
    assert await addresses(clinic, tls_only) == ("wss://clinic.example:8443/socket.io/", "https://clinic.example:8443")


async def test_what_nobody_trusted_says_of_the_address_is_ignored(clinic: RestClinic) -> None:
    assert await addresses(clinic, PROXY) == ("ws://10.0.0.9:8123/socket.io/", "http://10.0.0.9:8123")


@pytest.mark.parametrize(
    ("public", "sockets"),
    [
        ("https://clinic.example", "wss://clinic.example/socket.io/"),
        ("https://clinic.example/hub", "wss://clinic.example/hub/socket.io/"),
        ("http://clinic.example:8080", "ws://clinic.example:8080/socket.io/"),
    ],
)
async def test_a_public_url_is_named_whatever_was_asked(open_for_test: OpenClinic, public: str, sockets: str) -> None:
    clinic = await open_for_test(await make_services(public_url=public))
    assert await addresses(clinic, PROXY) == (sockets, public)


@pytest.mark.parametrize("public", ["http://127.0.0.1:8000", "http://localhost:8000", "http://192.0.2.5:8000"])
async def test_a_public_url_of_this_machine_is_only_for_the_twilio_stub(open_for_test: OpenClinic, public: str) -> None:
    clinic = await open_for_test(await make_services(public_url=public, host="192.0.2.5", jwt_secret_key="of our own"))
    assert await addresses(clinic, {"Host": "desk:9000"}) == ("ws://desk:9000/socket.io/", "http://desk:9000")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example/",
        "user@evil.example",
        "a b",
        'evil.example"><script>',
        "x" * 300,
        "evil.example:port",
        "[::1",
        "?",
    ],
)
async def test_a_host_header_that_is_no_host_is_not_repeated(open_for_test: OpenClinic, host: str) -> None:
    clinic = await open_for_test(await make_services(trusted_proxies=["127.0.0.1"]))
    for header in ("Host", "X-Forwarded-Host"):
        answer = await clinic.ask("GET", "/asyncapi.json", headers={"Host": "127.0.0.1:8000", header: host})
        assert answer.status == 400 or answer.body["servers"]["here"]["host"] == "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("forwarded_for", "scheme", "host", "seen"),
    [
        ("192.0.2.7", "https", "clinic.example", ("https", "clinic.example")),
        ("192.0.2.7", "http, https", "evil.example, clinic.example", ("https", "clinic.example")),  # sent by the client
        ("192.0.2.7, 10.0.0.2", "https, http", "clinic.example, inner", ("https", "clinic.example")),
        ("192.0.2.7, 10.0.0.2", "https", "clinic.example", ("https", "clinic.example")),
        ("192.0.2.7", "HTTPS", "clinic.example", ("https", "clinic.example")),
        ("192.0.2.7", "javascript", "<script>", ("http", "asked:80")),
        ("", "", "", ("http", "asked:80")),
    ],
)
def test_scheme_and_host_are_read_only_as_far_as_trusted_proxies_wrote_them(
    forwarded_for: str, scheme: str, host: str, seen: tuple[str, str]
) -> None:
    headers = {"Host": "asked:80", "X-Forwarded-For": forwarded_for}
    headers |= {"X-Forwarded-Proto": scheme, "X-Forwarded-Host": host}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="10.0.0.1")
    sent = TrustedProxies(["10.0.0.0/8"]).as_client_sent(request)
    assert (sent.scheme, sent.host) == seen
