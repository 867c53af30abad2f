import pytest

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
