"""Codes by text: a phone is proven by one, and a forgotten password is replaced by one."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, make_services

ME = "/api/v1/users/me"
FORGOT, RESET = "/api/v1/auth/password/forgot", "/api/v1/auth/password/reset"
EMMA = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550199", "password": PASSWORD}
NEW = "Another-horse-7"


async def texts(clinic: RestClinic, person: str) -> list[tuple[str, str | None, str]]:
    """Return the texts to a person that are about no appointment: kind, phone and words."""
    found = await clinic.services.records.texts.to_person(person, clinic.clock())
    return [(one.kind, one.phone, one.body) for one in reversed(found) if one.appointment_id is None]


async def last_code(clinic: RestClinic, person: str) -> str:
    codes = [found[0] for _, _, body in await texts(clinic, person) if (found := re.findall(r"\b\d{6}\b", body))]
    return codes[-1]


async def signed_up(clinic: RestClinic) -> tuple[str, str]:
    answer = await clinic.ask("POST", "/api/v1/auth/patient/signup", json=EMMA)
    assert answer.status == 201
    assert answer.body["user"]["phoneVerified"] is False
    return str(answer.body["user"]["id"]), str(answer.body["accessToken"])


async def verify(clinic: RestClinic, token: str, code: str) -> Answer:
    return await clinic.ask("POST", f"{ME}/phone/verify", token=token, json={"code": code})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.fixture
async def strict(open_for_test: OpenClinic) -> RestClinic:
    """Return a clinic whose patients must prove their phones."""
    return await open_for_test(await make_services(phone_verification="required"))


async def test_a_sign_up_texts_a_code_that_proves_the_phone(strict: RestClinic) -> None:
    emma, token = await signed_up(strict)
    ((kind, phone, words),) = await texts(strict, emma)
    assert (kind, phone) == ("code", EMMA["phone"])
    assert (
        words
        == f"Clinic Hub: {await last_code(strict, emma)} is the code for your phone number. It is good for 10 minutes."
    )
    code = await last_code(strict, emma)
    answer = await verify(strict, token, f" {code[:3]}\u00a0{code[3:]} ")  # as phones show it, and copy it
    assert (answer.status, answer.body["phoneVerified"]) == (200, True)
    assert (await strict.ask("GET", ME, token=token)).body["phoneVerified"] is True


async def test_where_phones_need_not_be_proven_a_code_is_texted_on_request_only(clinic: RestClinic) -> None:
    emma, token = await signed_up(clinic)
    assert await texts(clinic, emma) == []
    assert (await clinic.ask("POST", f"{ME}/phone/code", token=token)).status == 202
    assert (await verify(clinic, token, await last_code(clinic, emma))).status == 200
    assert (await clinic.ask("POST", f"{ME}/phone/code", token=token)).status == 202
    assert len(await texts(clinic, emma)) == 1


async def test_a_code_is_good_for_five_tries_and_once(strict: RestClinic) -> None:
    emma, token = await signed_up(strict)
    code = await last_code(strict, emma)
    for _ in range(5):
        answer = await verify(strict, token, wrong(code))
        assert [(each["pointer"], each["code"]) for each in answer.body["errors"]] == [("/code", "wrong_code")]
    assert (await verify(strict, token, code)).status == 422
    await strict.ask("POST", f"{ME}/phone/code", token=token)
    assert (await verify(strict, token, await last_code(strict, emma))).status == 200


async def test_a_code_is_good_for_ten_minutes_and_until_the_next_one(strict: RestClinic) -> None:
    emma, token = await signed_up(strict)
    first = await last_code(strict, emma)
    strict.clock.forward(timedelta(minutes=10))
    assert (await verify(strict, token, first)).status == 422
    for _ in range(2):
        await strict.ask("POST", f"{ME}/phone/code", token=token)
    codes = [re.findall(r"\d{6}", body)[0] for _, _, body in (await texts(strict, emma))[-2:]]
    if codes[0] != codes[1]:
        assert (await verify(strict, token, codes[0])).status == 422
    assert (await verify(strict, token, codes[1])).status == 200


async def test_codes_are_limited(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(codes_per_hour=2, phone_verification="required"))
    emma, token = await signed_up(clinic)
    seen = [(await clinic.ask("POST", f"{ME}/phone/code", token=token)).status for _ in range(3)]
    assert seen == [202, 202, 429]
    seen = [(await clinic.ask("POST", FORGOT, json={"email": email})).status for email in ["a@clinic.test"] * 3]
    assert seen == [202, 202, 429]
    assert len(await texts(clinic, emma)) == 3


@pytest.mark.parametrize("changes", [{"phone": "+12025550177"}, {"email": "carla@clinic.test"}])
async def test_another_phone_or_address_needs_the_password_and_the_old_phone_is_told(
    strict: RestClinic, changes: dict[str, str]
) -> None:
    for more in ({}, {"currentPassword": "Wrong-horse-7"}):
        answer = await strict.ask("PATCH", ME, "carl", json=changes | more)
        assert [error["pointer"] for error in answer.body["errors"]] == ["/currentPassword"]
    assert await texts(strict, "patient-carl") == []
    answer = await strict.ask("PATCH", ME, "carl", json=changes | {"currentPassword": PASSWORD})
    assert (answer.status, answer.body["phoneVerified"]) == (200, "phone" not in changes)
    told, *more_texts = await texts(strict, "patient-carl")
    assert told[:2] == ("account_changed", "+12025550123")
    assert [(kind, phone) for kind, phone, _ in more_texts] == (
        [("code", "+12025550177")] if "phone" in changes else []
    )


async def test_a_code_proves_only_the_phone_that_it_was_texted_to(strict: RestClinic) -> None:
    emma, token = await signed_up(strict)
    code = await last_code(strict, emma)
    changes = {"phone": "+12025550177", "currentPassword": PASSWORD}
    await strict.ask("PATCH", ME, token=token, json=changes)
    if await last_code(strict, emma) != code:
        assert (await verify(strict, token, code)).status == 422
    assert (await verify(strict, token, await last_code(strict, emma))).status == 200


async def forgotten(clinic: RestClinic, email: str, person: str) -> list[tuple[str, str | None, str]]:
    """Ask for a code, and return the texts once they have been written off the way of the request."""
    answer = await clinic.ask("POST", FORGOT, json={"email": email})
    assert (answer.status, answer.body) == (202, None)
    await clinic.ask("GET", "/health/live")  # another turn of the loop
    return await texts(clinic, person)


def reset(code: str, **changed: str) -> dict[str, Any]:
    return {"json": {"email": "carl@clinic.test", "code": code, "password": NEW} | changed}


async def test_a_forgotten_password_is_replaced_by_a_code_and_all_log_ins_end(clinic: RestClinic) -> None:
    body = {"email": "carl@clinic.test", "password": PASSWORD}
    pair = (await clinic.ask("POST", "/api/v1/auth/patient/login", json=body)).body
    ((kind, phone, _),) = await forgotten(clinic, "Carl@clinic.test", "patient-carl")
    assert (kind, phone) == ("code", "+12025550123")
    code = await last_code(clinic, "patient-carl")
    assert (await clinic.ask("POST", RESET, **reset(wrong(code)))).status == 422
    assert (await clinic.ask("POST", RESET, **reset(code, password="password1"))).status == 422

    assert (await clinic.ask("POST", RESET, **reset(code))).status == 204

    assert (await clinic.ask("GET", ME, token=pair["accessToken"])).code == "invalid_token"
    assert (await clinic.ask("POST", "/api/v1/auth/patient/login", json=body)).status == 401
    assert (await clinic.ask("POST", "/api/v1/auth/patient/login", json=body | {"password": NEW})).status == 200
    assert (await clinic.ask("POST", RESET, **reset(code))).status == 422  # a code is good once
    assert (await texts(clinic, "patient-carl"))[-1][0] == "account_changed"


async def test_the_answers_do_not_tell_who_has_an_account(clinic: RestClinic) -> None:
    assert await forgotten(clinic, "nobody@clinic.test", "patient-carl") == []
    answers = [
        await clinic.ask("POST", RESET, **reset("123456", email=email))
        for email in ("nobody@clinic.test", "carl@clinic.test")
    ]
    told = [{key: value for key, value in answer.body.items() if key != "instance"} for answer in answers]
    assert told[0] == told[1]


async def test_no_code_for_a_password_goes_to_a_phone_that_is_not_proven(clinic: RestClinic) -> None:
    emma, token = await signed_up(clinic)
    assert await forgotten(clinic, EMMA["email"], emma) == []
    await clinic.ask("POST", f"{ME}/phone/code", token=token)
    proving = await last_code(clinic, emma)
    assert (await clinic.ask("POST", RESET, **reset(proving, email=EMMA["email"]))).status == 422  # for another purpose
    assert (await verify(clinic, token, proving)).status == 200
    assert len(await forgotten(clinic, EMMA["email"], emma)) == 2
