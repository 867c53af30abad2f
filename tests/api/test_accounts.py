import asyncio
from collections.abc import Coroutine
from datetime import timedelta

import pytest

from api.resources import log_ins
from hub.accounts.passwords import verify_password
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, make_services

EMMA = {"name": "Emma Goldman", "email": "Emma@Clinic.TEST", "phone": "+12025550199", "password": PASSWORD}


async def sign_up(clinic: RestClinic, **changed: object) -> Answer:
    return await clinic.ask("POST", "/api/v1/auth/patient/signup", json=EMMA | changed)


async def log_in(clinic: RestClinic, door: str, email: str, password: str = PASSWORD) -> Answer:
    return await clinic.ask("POST", f"/api/v1/auth/{door}/login", json={"email": email, "password": password})


async def refreshed(clinic: RestClinic, pair: dict[str, str]) -> Answer:
    return await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": pair["refreshToken"]})


async def change_password(clinic: RestClinic, current: str, who: str | None = None, token: str | None = None) -> Answer:
    body = {"current": current, "new": "Another-horse-7"}
    return await clinic.ask("POST", "/api/v1/auth/password", who, token=token, json=body)


async def test_sign_up_logs_the_patient_in(clinic: RestClinic) -> None:
    answer = await sign_up(clinic)
    assert answer.status == 201
    assert answer.body["tokenType"] == "Bearer"
    assert answer.body["expiresIn"] == 15 * 60
    assert answer.body["user"]["role"] == "patient"
    assert answer.body["user"]["email"] == "emma@clinic.test"
    me = await clinic.ask("GET", "/api/v1/users/me", token=answer.body["accessToken"])
    assert me.body == answer.body["user"]


async def test_an_address_is_taken_in_any_case(clinic: RestClinic) -> None:
    assert (await sign_up(clinic, email="CARL@clinic.test")).code == "email_taken"


async def test_a_phone_number_is_taken_once(clinic: RestClinic) -> None:
    assert (await sign_up(clinic, phone="+12025550123")).code == "phone_taken"


async def test_white_space_around_what_people_type_is_removed(clinic: RestClinic) -> None:
    spaced = {"name": "\tEmma Goldman\r\n", "email": " Emma@Clinic.TEST\n", "phone": "\u00a0+12025550199 "}
    user = (await sign_up(clinic, **spaced)).body["user"]
    assert (user["name"], user["email"], user["phone"]) == ("Emma Goldman", "emma@clinic.test", "+12025550199")
    for email in ("\r\n emma@clinic.test", "emma@clinic.test\u2003", " " * 300 + "EMMA@clinic.test"):
        assert (await log_in(clinic, "patient", email)).status == 200
    assert (await log_in(clinic, "doctor", " ada@clinic.test\n")).status == 200


async def test_a_phone_number_is_kept_as_e164_however_it_was_typed(clinic: RestClinic) -> None:
    assert (await sign_up(clinic, phone="+44 (0)7911 123456")).body["user"]["phone"] == "+447911123456"
    for same in ("tel:+44-7911-123456", "0044 7911 123456"):
        assert (await sign_up(clinic, email="other@clinic.test", phone=same)).code == "phone_taken"
    change = {"phone": "(+44) 7911.123457"}
    assert (await clinic.ask("PATCH", "/api/v1/users/me", "carl", json=change | {"currentPassword": PASSWORD})).body[
        "phone"
    ] == "+447911123457"


async def test_white_space_in_a_password_counts(clinic: RestClinic) -> None:
    await sign_up(clinic, password=" eight characters ")
    assert (await log_in(clinic, "patient", EMMA["email"], "eight characters")).status == 401
    assert (await log_in(clinic, "patient", EMMA["email"], " eight characters ")).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "n" * 101),
        ("name", "Emma\nGoldman"),
        ("name", 7),
        ("name", {"$gt": ""}),
        ("email", "emma"),
        ("email", "Emma <emma@clinic.test>"),
        ("email", "e" * 65 + "@clinic.test"),
        ("email", "emma@localhost"),
        ("email", None),
        ("email", {"$ne": None}),
        ("phone", "12025550199"),
        ("phone", "+15550100"),
        ("phone", "+1 202 555 01"),
        ("phone", "+1202555CALL"),
        ("phone", "+٤٩٣٠١٢٣٤٥٦٧"),
        ("phone", "tel:+12025550199;ext=1"),
        ("phone", 12025550199),
        ("password", "seven77"),
        ("password", "p" * 73),
        ("password", "ü" * 37),
        ("password", ["Correct-horse-7"]),
        ("password", {"$gt": ""}),
        ("role", "doctor"),
        ("id", "doctor-ada"),
    ],
)
async def test_a_bad_field_of_a_sign_up_is_named_and_nothing_is_written(
    clinic: RestClinic, field: str, value: object
) -> None:
    before = await clinic.services.records.users.count()
    answer = await sign_up(clinic, **{field: value})
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.body["errors"]] == [f"/{field}"]
    assert await clinic.services.records.users.count() == before


@pytest.mark.parametrize("password", ["8 bytes!", "p" * 72, "ü" * 36])
async def test_passwords_of_8_to_72_bytes_are_fine(clinic: RestClinic, password: str) -> None:
    assert (await sign_up(clinic, password=password)).status == 201
    assert (await log_in(clinic, "patient", EMMA["email"], password)).status == 200
    assert (await log_in(clinic, "patient", EMMA["email"], password + "x")).status == 401


@pytest.mark.parametrize(
    ("password", "code"), [("Password1", "common_password"), ("emma-goldman", "personal_password")]
)
async def test_a_password_that_is_tried_first_is_refused_and_the_rule_named(
    clinic: RestClinic, password: str, code: str
) -> None:
    answer = await sign_up(clinic, password=password)
    assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [("/password", code)]
    if code == "common_password":
        body = {"current": PASSWORD, "new": password}
        answer = await clinic.ask("POST", "/api/v1/auth/password", "carl", json=body)
        assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [("/new", code)]


async def test_a_log_in_raises_the_rounds_of_an_older_hash(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(bcrypt_rounds=5))
    assert all(answer.status == 200 for answer in await asyncio.gather(*_log_ins(clinic, 3)))
    carl = await clinic.services.records.users.by_id("patient-carl")
    assert carl
    assert str(carl.password_hash).startswith("$2b$05$")
    assert (await log_in(clinic, "patient", "carl@clinic.test")).status == 200
    assert (await log_in(clinic, "patient", "carl@clinic.test", "Wrong-horse-7")).status == 401


def _log_ins(clinic: RestClinic, number: int) -> list[Coroutine[None, None, Answer]]:
    return [log_in(clinic, "patient", "carl@clinic.test") for _ in range(number)]


async def test_every_missing_field_is_named(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", "/api/v1/auth/patient/signup", json={})
    assert {error["pointer"] for error in answer.body["errors"]} == {"/name", "/email", "/phone", "/password"}


@pytest.mark.parametrize(("door", "name"), [("patient", "carl"), ("doctor", "ada")])
async def test_each_role_has_its_own_log_in(clinic: RestClinic, door: str, name: str) -> None:
    answer = await log_in(clinic, door, f"{name.upper()}@clinic.test")
    assert answer.status == 200
    assert answer.body["user"]["id"] == clinic.id(name)


async def test_a_doctor_is_told_the_own_zone(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/users/me", "ada")
    assert answer.body["zone"] == "Europe/Berlin"
    assert answer.body["specialty"] == "general practice"


async def test_unknown_address_wrong_password_and_wrong_role_look_the_same(clinic: RestClinic) -> None:
    answers = [
        await log_in(clinic, "patient", "nobody@clinic.test"),
        await log_in(clinic, "patient", "carl@clinic.test", "Wrong-horse-7"),
        await log_in(clinic, "patient", "carl@clinic.test", PASSWORD + "x" * 200),
        await log_in(clinic, "patient", "ada@clinic.test"),
        await log_in(clinic, "doctor", "carl@clinic.test"),
    ]
    assert {answer.status for answer in answers} == {401}
    told = [{key: value for key, value in answer.body.items() if key != "instance"} for answer in answers]
    assert told == [told[0]] * len(told)
    assert told[0]["code"] == "invalid_credentials"


async def test_a_password_is_verified_even_without_an_account(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []

    async def verify(_plain: str, hashed: str | None, rounds: int) -> bool:
        assert rounds == clinic.services.settings.bcrypt_rounds
        checked.append(hashed)
        return False

    monkeypatch.setattr("api.resources.log_ins.verify_password", verify)
    await log_in(clinic, "patient", "nobody@clinic.test")
    await log_in(clinic, "patient", "ada@clinic.test")
    await log_in(clinic, "doctor", "ada@clinic.test")
    assert checked == [None, None, clinic.people["ada"].password_hash]


async def test_refreshing_changes_both_tokens(clinic: RestClinic) -> None:
    first = (await log_in(clinic, "patient", "carl@clinic.test")).body
    clinic.clock.forward(timedelta(minutes=10))
    second = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": first["refreshToken"]})
    assert second.status == 200
    assert second.body["refreshToken"] != first["refreshToken"]
    assert second.body["user"] == first["user"]
    assert (await clinic.ask("GET", "/api/v1/users/me", token=second.body["accessToken"])).status == 200


async def test_a_refresh_repeated_with_its_key_gives_the_same_pair_also_at_the_same_time(clinic: RestClinic) -> None:
    pair = (await log_in(clinic, "patient", "carl@clinic.test")).body
    key = {"Idempotency-Key": "k"}
    body = {"refreshToken": pair["refreshToken"]}

    async def refresh(headers: dict[str, str]) -> Answer:
        return await clinic.ask("POST", "/api/v1/auth/refresh", json=body, headers=headers)

    answers = await asyncio.gather(*(refresh(key) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.body == answers[0].body for answer in answers)
    said = sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers)
    assert said == ["", "true", "true", "true", "true"]
    clinic.clock.forward(timedelta(seconds=31))
    assert (await refresh(key)).code == "invalid_token"
    assert (await refreshed(clinic, answers[0].body)).code == "invalid_token"


async def test_a_password_change_beats_a_log_in_that_raced_it(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(plain: str, hashed: str | None, rounds: int = 12) -> bool:
        correct = await verify_password(plain, hashed, rounds)
        monkeypatch.undo()  # the change that comes in between verifies as always
        assert (await change_password(clinic, PASSWORD, "carl")).status == 204
        return correct

    monkeypatch.setattr(log_ins, "verify_password", slowly)
    answer = await log_in(clinic, "patient", "carl@clinic.test")
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    assert (await log_in(clinic, "patient", "carl@clinic.test", "Another-horse-7")).status == 200


async def test_a_refresh_token_used_twice_ends_the_whole_log_in(clinic: RestClinic) -> None:
    first = (await log_in(clinic, "patient", "carl@clinic.test")).body["refreshToken"]
    second = (await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": first})).body["refreshToken"]
    again = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": first})
    assert (again.status, again.code) == (401, "invalid_token")
    assert (await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": second})).status == 401


@pytest.mark.parametrize("token", ["", ".", "nonsense", "a.b", "x" * 512, "\x00.\x00"])
async def test_an_invalid_refresh_token_is_refused(clinic: RestClinic, token: str) -> None:
    answer = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": token})
    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_a_refresh_token_is_refused_after_log_out(clinic: RestClinic) -> None:
    pair = (await log_in(clinic, "patient", "carl@clinic.test")).body
    assert (await clinic.ask("POST", "/api/v1/auth/logout", token=pair["accessToken"])).status == 204
    answer = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": pair["refreshToken"]})
    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_one_can_log_out_on_every_device_at_once(clinic: RestClinic) -> None:
    pairs = [(await log_in(clinic, "patient", "carl@clinic.test")).body for _ in range(3)]
    others = (await log_in(clinic, "patient", "dora@clinic.test")).body
    assert (await clinic.ask("POST", "/api/v1/auth/logout/all", token=pairs[0]["accessToken"])).status == 204
    assert [(await refreshed(clinic, pair)).status for pair in pairs] == [401] * 3
    assert (await refreshed(clinic, others)).status == 200


async def test_a_password_change_ends_every_other_log_in(clinic: RestClinic) -> None:
    here, there = [(await log_in(clinic, "patient", "carl@clinic.test")).body for _ in range(2)]

    assert (await change_password(clinic, PASSWORD, token=here["accessToken"])).status == 204

    assert (await refreshed(clinic, here)).status == 200
    assert (await refreshed(clinic, there)).code == "invalid_token"
    assert (await log_in(clinic, "patient", "carl@clinic.test")).status == 401
    assert (await log_in(clinic, "patient", "carl@clinic.test", "Another-horse-7")).status == 200


async def test_without_the_password_it_is_not_changed(clinic: RestClinic) -> None:
    pair = (await log_in(clinic, "patient", "carl@clinic.test")).body
    answer = await change_password(clinic, "Wrong-horse-7", token=pair["accessToken"])
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, ["/current"])
    assert (await log_in(clinic, "patient", "carl@clinic.test")).status == 200
    assert (await refreshed(clinic, pair)).status == 200


async def test_of_two_password_changes_at_once_one_succeeds(clinic: RestClinic) -> None:
    asked = (
        clinic.ask(
            "POST", "/api/v1/auth/password", "carl", json={"current": PASSWORD, "new": f"Another-horse-{number}"}
        )
        for number in range(4)
    )
    assert sorted([answer.status for answer in await asyncio.gather(*asked)]) == [204, 422, 422, 422]


@pytest.mark.parametrize("new", ["short", "x" * 73, None, 7])
async def test_a_bad_new_password_is_refused(clinic: RestClinic, new: object) -> None:
    body = {"current": PASSWORD, "new": new}
    answer = await clinic.ask("POST", "/api/v1/auth/password", "carl", json=body)
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, ["/new"])


async def test_a_current_password_counts_whole_not_as_far_as_it_is_hashed(clinic: RestClinic) -> None:
    long = "x" * 72
    body = {"current": PASSWORD, "new": long}
    assert (await clinic.ask("POST", "/api/v1/auth/password", "carl", json=body)).status == 204
    for current, status in ((long + "y", 422), (long, 204)):
        body = {"current": current, "new": "Another-horse-7"}
        assert (await clinic.ask("POST", "/api/v1/auth/password", "carl", json=body)).status == status


async def test_guesses_at_the_password_change_are_limited(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute=3))
    asked = [await change_password(clinic, f"Wrong-horse-{number}", who="carl") for number in range(4)]
    assert [answer.status for answer in asked] == [422, 422, 422, 429]


async def test_an_unknown_account_is_limited_like_a_known_one(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute=2))
    for name in ("carl", "nobody"):
        asked = [await log_in(clinic, "patient", f"{name}@clinic.test", "Wrong-horse-7") for _ in range(3)]
        assert [answer.code for answer in asked] == ["invalid_credentials"] * 2 + ["too_many_requests"]


async def test_one_account_can_be_tried_only_so_often_while_others_still_get_in(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute=3))
    wrong = [await log_in(clinic, "patient", "carl@clinic.test", "Wrong-horse-7") for _ in range(3)]
    stopped = await log_in(clinic, "patient", "CARL@clinic.test")
    assert [answer.status for answer in wrong] == [401] * 3
    assert (stopped.status, stopped.code) == (429, "too_many_requests")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 120
    assert (await log_in(clinic, "patient", "dora@clinic.test")).status == 200


async def test_one_address_can_try_only_so_many_accounts(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute_per_address=2))
    for name in ("ada", "ben"):
        assert (await log_in(clinic, "doctor", f"{name}@clinic.test")).status == 200
    assert (await log_in(clinic, "patient", "carl@clinic.test")).status == 429


async def test_one_address_can_sign_up_only_so_often(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(signups_per_hour_per_address=1))
    assert (await sign_up(clinic)).status == 201
    answer = await sign_up(clinic, email="other@clinic.test", phone="+12025550198")
    assert (answer.status, answer.code) == (429, "too_many_requests")
    assert await clinic.services.records.users.by_email("other@clinic.test") is None
