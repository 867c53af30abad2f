"""Pages of other origins, and what every answer tells a browser."""

import pytest

from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PRODUCTION, RestClinic, make_services

DESK = "https://desk.clinic.example"
DOCTORS = "/api/v1/doctors"


@pytest.fixture
async def clinic(open_for_test: OpenClinic) -> RestClinic:
    return await open_for_test(await make_services(cors_origins=[DESK]))


async def test_an_allowed_origin_gets_cors_headers_on_preflight_and_answer(clinic: RestClinic) -> None:
    headers = {"Origin": DESK, "Access-Control-Request-Method": "PATCH"}
    async with clinic.client.options(f"{DOCTORS}/anything", headers=headers) as asked:
        assert (asked.status, await asked.read()) == (204, b"")
        assert asked.headers["Access-Control-Allow-Origin"] == DESK
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    answer = await clinic.ask("GET", DOCTORS, "carl", headers={"Origin": DESK})
    assert answer.headers["Access-Control-Allow-Origin"] == DESK
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]


async def test_an_allowed_origin_can_read_a_problem(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/users/me", headers={"Origin": DESK})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, DESK)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{DESK}.evil.example", "null", DESK.upper(), f"{DESK}:444"]
)
async def test_another_origin_gets_no_cors_headers(clinic: RestClinic, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    async with clinic.client.options(DOCTORS, headers=headers) as asked:
        assert asked.status == 405
        assert "Access-Control-Allow-Origin" not in asked.headers
    answer = await clinic.ask("GET", DOCTORS, "carl", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


async def test_without_allowed_origins_no_cors_headers_are_sent(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services())
    answer = await clinic.ask("GET", DOCTORS, "carl", headers={"Origin": DESK})
    assert not {"Access-Control-Allow-Origin", "Vary"} & answer.headers.keys()


@pytest.mark.parametrize(("environment", "sent"), [("development", False), ("production", True)])
async def test_only_production_sends_hsts(open_for_test: OpenClinic, environment: str, sent: bool) -> None:  # noqa: FBT001
    clinic = await open_for_test(await make_services(**{**PRODUCTION, "clinic_env": environment}))
    answer = await clinic.ask("GET", "/health/live")
    assert ("Strict-Transport-Security" in answer.headers) == sent
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
