"""The second factor of doctors and receptionists."""

import asyncio
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from hub.client.answers import Problem
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.ops.account_commands import remove_second_factor
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, make_services

ME = "/api/v1/users/me"
FACTOR = f"{ME}/second-factor"
DOOR = {"ada": "doctor", "robin": "staff", "carl": "patient"}


async def log_in(clinic: RestClinic, who: str = "ada", **more: str) -> Answer:
    body = {"email": f"{who}@clinic.test", "password": PASSWORD, **more}
    return await clinic.ask("POST", f"/api/v1/auth/{DOOR[who]}/login", json=body)


def shown(clinic: RestClinic, secret: str, ahead: int = 0) -> str:
    """Return the code that the app shows now, or so many half minutes ahead."""
    return pyotp.TOTP(secret).at(clinic.clock() + ahead * timedelta(seconds=30))


async def enrolled(clinic: RestClinic, who: str = "ada") -> tuple[str, list[str]]:
    """Set up a second factor; return its secret and the recovery codes. A minute later the code is another one."""
    begun = await clinic.ask("POST", FACTOR, who, json={"password": PASSWORD})
    secret = str(begun.body["secret"])
    assert pyotp.parse_uri(begun.body["uri"]).secret == secret
    done = await clinic.ask("POST", f"{FACTOR}/confirm", who, json={"code": shown(clinic, secret)})
    assert done.status == 200
    clinic.clock.forward(timedelta(minutes=1))
    return secret, list(done.body["recoveryCodes"])


def wrong(code: str) -> str:
    return f"{(int(code) + 500_000) % 1_000_000:06}"


@pytest.mark.parametrize("who", ["ada", "robin"])
async def test_with_a_second_factor_the_password_alone_opens_nothing(clinic: RestClinic, who: str) -> None:
    secret, _ = await enrolled(clinic, who)
    assert (await log_in(clinic, who)).code == "second_factor_required"
    assert (await log_in(clinic, who, code=wrong(shown(clinic, secret)))).code == "wrong_second_factor"
    assert (await log_in(clinic, who, password="Wrong-horse-7")).code == "invalid_credentials"
    code = shown(clinic, secret)
    assert (await log_in(clinic, who, code=f"{code[:3]} {code[3:]}")).status == 200  # as an app shows it
    state = await clinic.ask("GET", FACTOR, who)
    assert state.body == {"enabled": True, "recoveryCodesLeft": 10}


async def test_a_code_is_good_once_also_at_the_same_time(clinic: RestClinic) -> None:
    secret, _ = await enrolled(clinic)
    answers = await asyncio.gather(*(log_in(clinic, code=shown(clinic, secret)) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]
    assert (await log_in(clinic, code=shown(clinic, secret, -1))).status == 200  # a clock may be half a minute behind
    assert (await log_in(clinic, code=shown(clinic, secret, -2))).code == "wrong_second_factor"


async def test_the_code_that_confirmed_it_opens_nothing(clinic: RestClinic) -> None:
    secret = (await clinic.ask("POST", FACTOR, "ada", json={"password": PASSWORD})).body["secret"]
    code = shown(clinic, secret)
    await clinic.ask("POST", f"{FACTOR}/confirm", "ada", json={"code": code})
    assert (await log_in(clinic, code=code)).code == "wrong_second_factor"


async def test_each_recovery_code_is_good_once(clinic: RestClinic) -> None:
    _, codes = await enrolled(clinic)
    assert len(set(codes)) == 10
    assert (await log_in(clinic, code=codes[0].upper().replace("-", " "))).status == 200
    assert (await log_in(clinic, code=codes[0])).code == "wrong_second_factor"
    assert (await clinic.ask("GET", FACTOR, "ada")).body["recoveryCodesLeft"] == 9
    stored = (await clinic.services.records.users.by_id("doctor-ada")).second_factor  # type: ignore[union-attr]
    assert stored
    assert not [code for code in codes if code in str(stored) or code.replace("-", "") in str(stored)]


async def test_guesses_are_limited(clinic: RestClinic) -> None:
    secret, _ = await enrolled(clinic)
    bad = wrong(shown(clinic, secret))
    answers = [await log_in(clinic, code=bad) for _ in range(31)]
    assert answers[-1].code == "too_many_requests"
    assert (await log_in(clinic, code=shown(clinic, secret))).code == "too_many_requests"


async def test_it_is_set_up_with_the_password_and_ends_the_other_log_ins(clinic: RestClinic) -> None:
    there = (await log_in(clinic)).body["accessToken"]
    assert (await clinic.ask("POST", FACTOR, "ada", json={"password": "Wrong-horse-7"})).status == 422
    secret = (await clinic.ask("POST", FACTOR, "ada", json={"password": PASSWORD})).body["secret"]
    bad = await clinic.ask("POST", f"{FACTOR}/confirm", "ada", json={"code": wrong(shown(clinic, secret))})
    assert [error["code"] for error in bad.body["errors"]] == ["wrong_code"]
    assert (await log_in(clinic)).status == 200  # it does not count yet
    await clinic.ask("POST", f"{FACTOR}/confirm", "ada", json={"code": shown(clinic, secret)})
    assert (await clinic.ask("GET", ME, token=there)).code == "invalid_token"
    assert (await clinic.ask("POST", FACTOR, "ada", json={"password": PASSWORD})).code == "forbidden"


async def test_it_is_disabled_with_the_password_and_a_code(clinic: RestClinic) -> None:
    secret, codes = await enrolled(clinic)
    path = f"{FACTOR}/disable"
    assert (await clinic.ask("POST", path, "ada", json={"password": "Wrong-horse-7", "code": codes[0]})).status == 422
    bad = wrong(shown(clinic, secret))
    assert (await clinic.ask("POST", path, "ada", json={"password": PASSWORD, "code": bad})).status == 422
    assert (await clinic.ask("POST", path, "ada", json={"password": PASSWORD, "code": codes[0]})).status == 204
    assert (await log_in(clinic)).status == 200


async def test_new_recovery_codes_come_with_the_password_and_a_code_and_end_the_earlier_ones(
    clinic: RestClinic,
) -> None:
    secret, old = await enrolled(clinic)
    path, code = f"{FACTOR}/recovery-codes", shown(clinic, secret)
    for body in ({"password": "Wrong-horse-7", "code": code}, {"password": PASSWORD, "code": wrong(code)}):
        assert (await clinic.ask("POST", path, "ada", json=body)).status == 422
    made = await clinic.ask("POST", path, "ada", json={"password": PASSWORD, "code": old[0]})
    assert made.status == 200
    new = made.body["recoveryCodes"]
    assert len({*new, *old}) == 20
    assert (await log_in(clinic, code=old[1])).code == "wrong_second_factor"
    assert (await log_in(clinic, code=new[1])).status == 200
    assert (await log_in(clinic, code=code)).status == 200  # the app is the same
    assert (await clinic.ask("GET", FACTOR, "ada")).body["recoveryCodesLeft"] == 9


async def test_the_clinic_removes_it_for_who_has_lost_it(clinic: RestClinic) -> None:
    secret, _ = await enrolled(clinic)
    here = (await log_in(clinic, code=shown(clinic, secret))).body
    account = await clinic.services.records.users.by_id("doctor-ada")
    assert account
    assert await remove_second_factor(clinic.services.records, account, clinic.clock) == 1
    assert (await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": here["refreshToken"]})).status == 401
    assert (await log_in(clinic)).status == 200


async def test_where_it_is_required_staff_can_do_nothing_before(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(staff_second_factor="required"))
    patient = (await log_in(clinic, "carl")).body["accessToken"]
    assert (await clinic.ask("GET", ME, token=patient)).status == 200
    begun: dict[str, Any] = (await log_in(clinic)).body
    token = begun["accessToken"]
    for method, path in (("GET", ME), ("GET", "/api/v1/appointments"), ("GET", "/api/v1/doctors/me/hours")):
        assert (await clinic.ask(method, path, token=token)).code == "second_factor_required"
    secret = (await clinic.ask("POST", FACTOR, token=token, json={"password": PASSWORD})).body["secret"]
    body = {"code": shown(clinic, secret)}
    assert (await clinic.ask("POST", f"{FACTOR}/confirm", token=token, json=body)).status == 200
    again = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": begun["refreshToken"]})
    assert (await clinic.ask("GET", ME, token=again.body["accessToken"])).status == 200


async def test_where_it_is_off_nobody_is_asked(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(staff_second_factor="off"))
    assert (await clinic.ask("POST", FACTOR, "ada", json={"password": PASSWORD})).code == "forbidden"
    assert (await log_in(clinic)).status == 200


async def test_a_page_is_asked_for_the_code_too(clinic: RestClinic) -> None:
    secret, _ = await enrolled(clinic)
    page = {"X-Requested-By": "page", "Sec-Fetch-Site": "same-origin"}
    body = {"email": "ada@clinic.test", "password": PASSWORD}
    answer = await clinic.ask("POST", "/api/v1/browser/sign-in", json=body, headers=page)
    assert (answer.status, answer.code) == (403, "second_factor_required")
    body["code"] = shown(clinic, secret)
    begun = await clinic.ask("POST", "/api/v1/browser/sign-in", json=body, headers=page)
    assert (begun.status, begun.body["secondFactorRequired"]) == (200, False)


async def test_a_page_is_told_whose_second_factor_has_to_be_set_up_first(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(staff_second_factor="required"))
    page = {"X-Requested-By": "page", "Sec-Fetch-Site": "same-origin"}
    for who, needed in (("ada", True), ("robin", True), ("carl", False)):
        body = {"email": f"{who}@clinic.test", "password": PASSWORD}
        answer = await clinic.ask("POST", "/api/v1/browser/sign-in", json=body, headers=page)
        assert (answer.status, answer.body["secondFactorRequired"]) == (200, needed)


async def test_the_python_client_logs_in_with_a_code(clinic: RestClinic) -> None:
    secret, _ = await enrolled(clinic)
    email = "ada@clinic.test"
    async with clinic_at(str(clinic.client.make_url("/")).rstrip("/"), clinic.clock) as door:
        refused = await door.log_in("doctor", email, PASSWORD)
        assert isinstance(refused, Problem)
        assert refused.code == "second_factor_required"
        member = await door.log_in("doctor", email, PASSWORD, shown(clinic, secret))
        assert isinstance(member, Member), member
