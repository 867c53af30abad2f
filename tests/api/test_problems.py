import asyncio
from typing import Any, get_args

import pytest

from api.app import TABLE
from api.http.problems import KINDS, Code, refused
from hub.records.errors import StoreUnavailable
from hub.scheduling.decision import RefusalCode, Refused
from tests.api.rest_clinic import PASSWORD, RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"


def test_every_code_has_a_status_and_a_title() -> None:
    assert set(KINDS) == set(get_args(Code))


@pytest.mark.parametrize("code", list(RefusalCode))
def test_every_refusal_becomes_a_problem_with_its_code(code: RefusalCode) -> None:
    expected = "try_again" if code is RefusalCode.EXPIRED else code.value
    assert refused(Refused(code, "why")).code == expected


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/v1", "/api/v1/appointments/", "/api/v2/doctors", "/api/v1/doctors/%ff", "/a?b=%zz"],
)
async def test_an_unknown_path_is_a_problem(clinic: RestClinic, path: str) -> None:
    answer = await clinic.ask("GET", path, "carl")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/doctors", "GET, HEAD"),
        ("GET", "/api/v1/auth/refresh", "POST"),
        ("PUT", "/api/v1/appointments", "GET, HEAD, POST"),
        ("POST", "/api/v1/appointments/x/confirm", "PATCH"),
        ("PURGE", "/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(
    clinic: RestClinic, method: str, path: str, allowed: str
) -> None:
    answer = await clinic.ask(method, path)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


async def test_every_get_also_answers_head(clinic: RestClinic) -> None:
    assert (await clinic.ask("HEAD", "/health/live")).status == 200
    assert (await clinic.ask("HEAD", "/api/v1/users/me")).status == 401


async def test_an_unexpected_error_is_logged_once_and_hidden_from_the_client(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch, lines: list[Any]
) -> None:
    def explode() -> None:
        raise RuntimeError(f"mongodb://root:{PASSWORD}@db")

    monkeypatch.setattr(clinic.services.records.users, "doctors", explode)
    answer = await clinic.ask("GET", "/api/v1/doctors", "carl", headers={"X-Request-ID": "r-1"})
    assert (answer.status, answer.code) == (500, "internal")
    errors = [line for line in lines if line["log_level"] == "error"]
    assert [line["request_id"] for line in errors] == ["r-1"]
    assert isinstance(errors[0]["exc_info"], RuntimeError)


async def test_a_request_logs_one_line_with_its_id_route_and_user(clinic: RestClinic, lines: list[Any]) -> None:
    await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "carl", headers={"X-Request-ID": "r-2"})
    await clinic.ask("GET", "/no/such/path/carl@clinic.test")
    first, second = [line for line in lines if line["event"] == "request"]
    assert (
        first.items()
        >= {
            "request_id": "r-2",
            "method": "GET",
            "route": "/api/v1/doctors/{id}",
            "status": 200,
            "user_id": "patient-carl",
        }.items()
    )
    assert second.items() >= {"route": "unmatched", "status": 404, "code": "not_found", "user_id": None}.items()
    assert second["request_id"] != "r-2"
    assert "clinic.test" not in str(lines)


async def test_nothing_private_is_in_the_log(clinic: RestClinic, lines: list[Any]) -> None:
    body = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550199", "password": PASSWORD}
    pair = (await clinic.ask("POST", "/api/v1/auth/patient/signup", json=body)).body
    await clinic.ask("POST", "/api/v1/auth/patient/login", json={"email": "emma@clinic.test", "password": PASSWORD})
    await clinic.ask("POST", "/api/v1/auth/patient/login", json={"email": PASSWORD, "password": ""})
    await clinic.ask("GET", "/api/v1/users/me", token=pair["accessToken"] + "x")
    written = str(lines)
    assert len(lines) >= 4
    for private in (PASSWORD, "emma", "Emma", "2025550199", pair["accessToken"], pair["refreshToken"]):
        assert private not in written


@pytest.mark.parametrize("given", ["a", "A-Z_0.9", "x" * 64])
async def test_a_safe_request_id_is_returned(clinic: RestClinic, given: str) -> None:
    answer = await clinic.ask("GET", "/health/live", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ü", "a;b", "<script>"])
async def test_any_other_request_id_is_replaced(clinic: RestClinic, given: str) -> None:
    answer = await clinic.ask("GET", "/health/live", headers={"X-Request-ID": given})
    assert len(answer.headers["X-Request-ID"]) == 36


async def test_without_the_database_reads_are_unavailable_and_commands_may_be_sent_again(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise StoreUnavailable("the database did not do it: ServerSelectionTimeoutError")

    booked = await clinic.book("carl", "ada", opening(1))
    monkeypatch.setattr(clinic.services.records.users, "by_id", gone)
    monkeypatch.setattr(clinic.services.records.appointments, "by_ids", gone)
    read = await clinic.ask("GET", f"{APPOINTMENTS}/{booked}", "carl")
    assert (read.status, read.code, read.headers["Retry-After"]) == (503, "unavailable", "2")
    assert "database" in read.body["detail"]
    change = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl")
    booking = await clinic.ask(
        "POST", APPOINTMENTS, "carl", json={"doctorId": "doctor-ben", "start": opening(1).isoformat()}
    )
    for command in (change, booking):
        assert (command.status, command.code, command.headers["Retry-After"]) == (503, "try_again", "2")
    monkeypatch.undo()
    assert (await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl")).status == 200


async def test_a_command_without_an_answer_may_be_sent_again(clinic: RestClinic) -> None:
    clinic.commands.silent = True
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat()}
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json=body, headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "try_again", "2")
    clinic.commands.silent = False
    assert (await clinic.ask("POST", APPOINTMENTS, "carl", json=body, headers={"Idempotency-Key": "k"})).status == 201


async def test_concurrent_requests_keep_their_own_ids(clinic: RestClinic) -> None:
    async def ask(number: int) -> bool:
        answer = await clinic.ask("GET", "/api/v1/doctors", "carl", headers={"X-Request-ID": f"r{number}"})
        return answer.headers["X-Request-ID"] == f"r{number}"

    assert all(await asyncio.gather(*(ask(number) for number in range(50))))


def test_every_endpoint_has_a_unique_name_and_a_summary() -> None:
    assert len({endpoint.name for endpoint in TABLE}) == len(TABLE)
    assert all(endpoint.summary.endswith((".", ":")) for endpoint in TABLE), [e.summary for e in TABLE]
    assert all(set(endpoint.problems) <= set(KINDS) for endpoint in TABLE)
