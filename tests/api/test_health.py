import pytest
from aiohttp.test_utils import make_mocked_request

from api.http.insiders import comes_from_inside
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import RestClinic, make_services, silenced


async def test_a_running_process_is_live(clinic: RestClinic) -> None:
    assert (await clinic.ask("GET", "/health/live")).body == {"status": "live"}


async def test_a_process_is_ready_when_every_engine_answers(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/health/ready")
    assert answer.body == {
        "status": "ready",
        "engines": [{"name": "database", "where": "db:27017"}, {"name": "broker", "where": "mq:9092"}],
    }


@pytest.mark.parametrize(("name", "where"), [("database", "db:27017"), ("broker", "mq:9092")])
async def test_the_engine_that_does_not_answer_is_named(open_for_test: OpenClinic, name: str, where: str) -> None:
    clinic = await open_for_test(silenced(await make_services(), name))
    answer = await clinic.ask("GET", "/health/ready")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.body["detail"] == f"No answer from the {name} at {where}."
    assert answer.headers["Retry-After"]
    assert (await clinic.ask("GET", "/health/live")).status == 200


async def test_anyone_may_read_the_server_time(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/time/now")
    assert answer.body == {"now": "2026-11-23T08:00:00Z", "unixMs": 1795420800000}


FROM_OUTSIDE = [{"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=203.0.113.7"}]


@pytest.mark.parametrize("headers", FROM_OUTSIDE)
async def test_who_comes_through_a_proxy_learns_neither_metrics_nor_where_the_engines_are(
    open_for_test: OpenClinic, headers: dict[str, str]
) -> None:
    clinic = await open_for_test(await make_services(trusted_proxies=("127.0.0.1",)))
    async with clinic.client.get("/metrics", headers=headers) as response:
        assert response.status == 404
        assert "clinic_" not in await response.text()
    async with clinic.client.get("/health/ready", headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"status": "ready", "engines": []})
    clinic = await open_for_test(silenced(await make_services(), "database"))
    async with clinic.client.get("/health/ready", headers=headers) as response:
        assert response.status == 503
        assert "db:27017" not in await response.text()


@pytest.mark.parametrize(
    ("peer", "inside"),
    [("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("fd00::7", True), ("203.0.114.7", False), (None, False)],
)
def test_an_address_of_the_internet_is_outside_even_without_a_proxy(peer: str | None, *, inside: bool) -> None:
    request = make_mocked_request("GET", "/metrics").clone(remote=peer or "")
    assert comes_from_inside(request) is inside
