"""Sign-ups that have to be confirmed by a code: no answer tells who is a patient, and a stranger gets no account."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import hdrs

from api.http.endpoints import Accepted
from api.resources.after_answer import after_answer
from api.resources.log_ins import Caller
from api.resources.sign_ups import SignUp, sign_up_patient
from hub.records.errors import StoreUnavailable
from hub.texting.text import NO_ACCOUNT
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, PRODUCTION, Answer, RestClinic, make_services

SIGN_UP, CONFIRM = "/api/v1/auth/patient/signup", "/api/v1/auth/patient/signup/confirm"
ON_PAGE = "/api/v1/browser/sign-up"
PAGE = {"X-Requested-By": "page", "Sec-Fetch-Site": "same-origin"}
LOG_IN = "/api/v1/auth/patient/login"
EMMA = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550199", "password": PASSWORD}
CARLS_EMAIL, CARLS_PHONE = "carl@clinic.test", "+12025550123"
CASES = {
    "free": EMMA,
    "e-mail of an account": EMMA | {"email": CARLS_EMAIL},
    "phone of an account": EMMA | {"phone": CARLS_PHONE},
    "both of one account": EMMA | {"email": CARLS_EMAIL, "phone": CARLS_PHONE},
    "e-mail of staff": EMMA | {"email": "ada@clinic.test"},
}
CONFIRMED: dict[str, Any] = {"phone_verification": "required", "sign_up_confirmation": "required"}
TWILIO: dict[str, Any] = {
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "secret",
    "twilio_from_patient": "+12025550100",
    "twilio_from_doctor": "+12025550101",
    "public_url": "https://clinic.example",
}


@pytest.fixture
async def strict(open_for_test: OpenClinic) -> RestClinic:
    """Return a clinic whose sign-ups must be confirmed."""
    return await open_for_test(await make_services(**CONFIRMED))


async def sign_up(clinic: RestClinic, **changed: str) -> str:
    """Sign up, and return the id of the sign-up when what follows the answer is done."""
    answer = await clinic.ask("POST", SIGN_UP, json=EMMA | changed)
    assert answer.status == 202, answer.body
    await clinic.ask("GET", "/health/live")  # another turn of the loop
    return str(answer.body["signUpId"])


async def texts(clinic: RestClinic, person: str = NO_ACCOUNT) -> list[tuple[str, str | None, str]]:
    found = await clinic.services.records.texts.to_person(person, clinic.clock())
    return [(one.kind, one.phone, one.body) for one in reversed(found)]


async def last_code(clinic: RestClinic) -> str:
    _, _, words = (await texts(clinic))[-1]
    return re.findall(r"\b\d{6}\b", words)[0]


async def confirm(clinic: RestClinic, sign_up_id: str, code: str) -> Answer:
    return await clinic.ask("POST", CONFIRM, json={"signUpId": sign_up_id, "code": code})


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def is_wrong_code(answer: Answer) -> bool:
    errors = [(each["pointer"], each["code"]) for each in (answer.body or {}).get("errors", [])]
    return (answer.status, errors) == (422, [("/code", "wrong_code")])


async def test_a_sign_up_makes_an_account_with_the_code_that_is_texted(strict: RestClinic) -> None:
    answer = await strict.ask("POST", SIGN_UP, json=EMMA)
    assert answer.status == 202
    assert answer.body == {"status": "confirmation_required", "signUpId": answer.body["signUpId"]}
    await strict.ask("GET", "/health/live")
    ((kind, phone, words),) = await texts(strict)
    code = await last_code(strict)
    assert (kind, phone) == ("code", EMMA["phone"])
    assert words == f"Clinic Hub: {code} is the code for your new account. Tell it to nobody. Good for 10 minutes."
    assert await strict.services.records.users.by_email(EMMA["email"]) is None
    log_in = {"email": EMMA["email"], "password": PASSWORD}
    assert (await strict.ask("POST", LOG_IN, json=log_in)).code == "invalid_credentials"

    done = await confirm(strict, answer.body["signUpId"], f"{code[:3]} {code[3:]}")

    assert done.status == 201
    assert {name: done.body["user"][name] for name in ("name", "email", "phone", "phoneVerified")} == {
        **{name: EMMA[name] for name in ("name", "email", "phone")},
        "phoneVerified": True,
    }
    assert (await strict.ask("GET", "/api/v1/users/me", token=done.body["accessToken"])).body == done.body["user"]
    # If the answer is lost: the code is used up, and the password opens the account.
    assert is_wrong_code(await confirm(strict, answer.body["signUpId"], code))
    assert await strict.services.records.sign_ups.tried(answer.body["signUpId"]) is None
    assert (await strict.ask("POST", LOG_IN, json=log_in)).status == 200


async def test_the_answer_is_the_same_whoever_has_an_account(open_for_test: OpenClinic) -> None:
    seen = []
    for body in CASES.values():
        clinic = await open_for_test(await make_services(**CONFIRMED))
        for path, headers in ((SIGN_UP, {}), (ON_PAGE, PAGE)):
            answer = await clinic.ask("POST", path, json=body, headers=headers)
            sent = [(name, value) for name, value in answer.headers.items() if name not in {"X-Request-ID", hdrs.DATE}]
            id_ = answer.body.pop("signUpId")
            seen.append((answer.status, sent, answer.body, len(id_)))
    assert seen == [seen[0]] * 2 * len(CASES)


class Recorded:
    """Notes the calls of one part of the record."""

    def __init__(self, part: Any, name: str, calls: list[str]) -> None:
        self._part, self._name, self._calls = part, name, calls

    def __getattr__(self, method: str) -> Any:
        self._calls.append(f"{self._name}.{method}")
        return getattr(self._part, method)


@pytest.mark.parametrize("case", CASES)
async def test_what_depends_on_the_record_is_asked_only_after_the_answer(strict: RestClinic, case: str) -> None:
    services, calls = strict.services, list[str]()
    for part in ("users", "sign_ups", "codes", "texts", "sessions"):
        setattr(services.records, part, Recorded(getattr(services.records, part), part, calls))

    result = await sign_up_patient(services, Caller("192.0.2.1", None), SignUp.model_validate(CASES[case]))

    assert isinstance(result, Accepted)
    assert calls == ["sign_ups.add"]
    await strict.ask("GET", "/health/live")
    assert {"users.by_email", "users.by_phone"} < set(calls)


@pytest.mark.parametrize("case", ["phone of an account", "both of one account"])
async def test_the_phone_of_an_account_is_told_that_it_has_one(strict: RestClinic, case: str) -> None:
    id_ = await sign_up(strict, **CASES[case])
    assert await texts(strict) == []
    told = "Clinic Hub: this phone has an account already. Log in, or ask there for a new password."
    assert await texts(strict, "patient-carl") == [("account_changed", CARLS_PHONE, told)]
    assert is_wrong_code(await confirm(strict, id_, "123456"))


async def test_the_proven_phone_of_the_account_with_the_address_is_told_and_the_given_one_gets_nothing(
    strict: RestClinic,
) -> None:
    id_ = await sign_up(strict, email=CARLS_EMAIL)
    assert await texts(strict) == []
    told = "Clinic Hub: somebody tried to sign up with your e-mail address. Was it you? Then log in."
    assert await texts(strict, "patient-carl") == [("account_changed", CARLS_PHONE, told)]
    assert is_wrong_code(await confirm(strict, id_, "123456"))
    carl = strict.people["carl"]
    await strict.services.records.users.change(carl, carl.model_copy(update={"phone_verified": False}))
    await sign_up(strict, email=CARLS_EMAIL, phone="+12025550198")
    assert len(await texts(strict, "patient-carl")) == 1


async def test_a_code_is_good_for_five_tries(strict: RestClinic) -> None:
    id_ = await sign_up(strict)
    code = await last_code(strict)
    for _ in range(5):
        assert is_wrong_code(await confirm(strict, id_, wrong(code)))
    assert is_wrong_code(await confirm(strict, id_, code))
    again = await sign_up(strict)
    for _ in range(4):
        assert is_wrong_code(await confirm(strict, again, wrong(await last_code(strict))))
    assert (await confirm(strict, again, await last_code(strict))).status == 201


async def test_a_code_is_good_for_ten_minutes(strict: RestClinic) -> None:
    id_ = await sign_up(strict)
    strict.clock.forward(timedelta(minutes=10))
    assert is_wrong_code(await confirm(strict, id_, await last_code(strict)))


async def test_an_account_that_came_meanwhile_is_told_from_a_wrong_code_by_nothing(strict: RestClinic) -> None:
    one = await sign_up(strict)
    first = await last_code(strict)
    same_email = await sign_up(strict, phone="+12025550198")
    second = await last_code(strict)
    same_phone = await sign_up(strict, email="other@clinic.test")
    third = await last_code(strict)
    mistaken = await confirm(strict, same_email, wrong(second))
    assert (await confirm(strict, one, first)).status == 201

    refused = [await confirm(strict, same_email, second), await confirm(strict, same_phone, third)]
    refused += [await confirm(strict, "nobodys", "123456"), mistaken]

    assert all(map(is_wrong_code, refused))
    told = [{name: value for name, value in answer.body.items() if name != "instance"} for answer in refused]
    assert told == [told[0]] * 4
    assert (await strict.services.records.users.by_phone("+12025550198")) is None


async def test_a_stranger_neither_takes_nor_destroys_the_sign_up_of_somebody_else(strict: RestClinic) -> None:
    emmas = await sign_up(strict)
    code = await last_code(strict)
    strangers = await sign_up(strict, name="Mallory", password="Another-horse-8")  # Emma's phone gets this code, too
    another = await last_code(strict)
    if code != another:
        assert is_wrong_code(await confirm(strict, strangers, code))
        assert is_wrong_code(await confirm(strict, emmas, another))
    assert (await confirm(strict, emmas, code)).body["user"]["name"] == "Emma"
    assert is_wrong_code(await confirm(strict, strangers, another))
    for password, status in ((PASSWORD, 200), ("Another-horse-8", 401)):
        body = {"email": EMMA["email"], "password": password}
        assert (await strict.ask("POST", LOG_IN, json=body)).status == status


async def test_of_confirmations_at_the_same_time_one_makes_the_account(strict: RestClinic) -> None:
    id_ = await sign_up(strict)
    code = await last_code(strict)
    answers = await asyncio.gather(*(confirm(strict, id_, code) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [201, 422, 422]


async def test_nobody_floods_a_phone_with_codes(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour=2))
    bodies = [EMMA | {"email": f"emma{number}@clinic.test"} for number in range(3)]
    answers = [await clinic.ask("POST", SIGN_UP, json=body) for body in bodies]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    await clinic.ask("GET", "/health/live")
    assert len(await texts(clinic)) == 2


async def test_nobody_floods_the_phone_of_an_account_and_no_answer_says_so(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour=2))
    for number in range(5):
        await sign_up(clinic, email=CARLS_EMAIL, phone=f"+120255501{number}0")
    assert len(await texts(clinic, "patient-carl")) == 2
    # Carl's own codes are counted apart.
    assert (await clinic.ask("POST", "/api/v1/auth/password/forgot", json={"email": CARLS_EMAIL})).status == 202
    await clinic.ask("GET", "/health/live")
    assert len(await texts(clinic, "patient-carl")) == 3


async def test_of_a_patient_who_is_erased_no_count_of_the_phone_stays(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour=1))
    await sign_up(clinic, phone=CARLS_PHONE)
    assert (await clinic.ask("POST", SIGN_UP, json=EMMA | {"phone": CARLS_PHONE})).status == 429
    assert (await clinic.ask("DELETE", "/api/v1/users/me", "carl", json={"password": PASSWORD})).status == 204
    assert await sign_up(clinic, phone=CARLS_PHONE)


async def test_one_network_causes_only_so_many_texts(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour_per_address=2))
    bodies = [EMMA | {"email": f"emma{n}@clinic.test", "phone": f"+120255501{n}0"} for n in range(3)]
    assert [(await clinic.ask("POST", SIGN_UP, json=body)).status for body in bodies] == [202, 202, 429]


async def test_the_fields_are_checked_as_without_a_confirmation_and_cost_no_code(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour=1))
    for changed in ({"phone": "12"}, {"email": "emma"}, {"password": "password1"}, {"name": ""}):
        answer = await clinic.ask("POST", SIGN_UP, json=EMMA | changed)
        assert [error["pointer"] for error in answer.body["errors"]] == [f"/{next(iter(changed))}"]
    assert await sign_up(clinic)


async def test_a_page_confirms_a_sign_up_and_gets_its_cookie(strict: RestClinic) -> None:
    answer = await strict.ask("POST", ON_PAGE, json=EMMA, headers=PAGE)
    assert answer.status == 202
    assert hdrs.SET_COOKIE not in answer.headers
    await strict.ask("GET", "/health/live")
    body = {"signUpId": answer.body["signUpId"], "code": await last_code(strict)}
    foreign = PAGE | {"Sec-Fetch-Site": "same-site"}
    assert (await strict.ask("POST", f"{ON_PAGE}/confirm", json=body, headers=foreign)).code == "forbidden"
    done = await strict.ask("POST", f"{ON_PAGE}/confirm", json=body, headers=PAGE)
    assert (done.status, done.body["user"]["phoneVerified"]) == (201, True)
    assert "clinic-hub-refresh=" in done.headers[hdrs.SET_COOKIE]
    assert (await strict.ask("POST", "/api/v1/browser/refresh", headers=PAGE)).status == 200
    assert is_wrong_code(await strict.ask("POST", f"{ON_PAGE}/confirm", json=body, headers=PAGE))


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        ({**PRODUCTION, **TWILIO}, [202, 202, 202]),
        ({**PRODUCTION, **TWILIO, "phone_verification": "optional"}, [201, 409, 409]),
        ({**PRODUCTION, **TWILIO, "sign_up_confirmation": "optional"}, [201, 409, 409]),
        (PRODUCTION, [201, 409, 409]),  # without texts nobody could sign up
        ({}, [201, 409, 409]),
        ({"phone_verification": "required"}, [201, 409, 409]),
    ],
)
async def test_production_that_sends_texts_confirms_sign_ups_unless_told_otherwise(
    open_for_test: OpenClinic, settings: dict[str, Any], statuses: list[int]
) -> None:
    clinic = await open_for_test(await make_services(**settings))
    bodies = [CASES[case] for case in ("free", "e-mail of an account", "phone of an account")]
    assert [(await clinic.ask("POST", SIGN_UP, json=body)).status for body in bodies] == statuses


async def test_where_nothing_is_to_be_confirmed_nothing_is_stored(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", SIGN_UP, json=EMMA)
    assert answer.status == 201
    assert await texts(clinic) == []
    assert is_wrong_code(await confirm(clinic, "nobodys", "123456"))


async def test_the_codes_of_sign_ups_are_kept_for_a_day_because_their_phones_may_be_of_nobody(
    strict: RestClinic,
) -> None:
    await sign_up(strict)
    strict.clock.forward(timedelta(hours=23))
    await strict.services.retention.delete()
    everything = strict.clock() - timedelta(days=10)
    assert len(await strict.services.records.texts.to_person(NO_ACCOUNT, everything)) == 1
    strict.clock.forward(timedelta(hours=2))
    await strict.services.retention.delete()
    assert await strict.services.records.texts.to_person(NO_ACCOUNT, everything) == []


async def test_too_much_work_after_answers_is_dropped_and_an_outage_ends_none(lines: list[Any]) -> None:
    done: list[int] = []
    free = asyncio.Event()

    async def work(number: int) -> None:
        await free.wait()
        if number == 0:
            raise StoreUnavailable("no answer")
        done.append(number)

    for number in range(201):
        after_answer(work(number))
    await asyncio.sleep(0)
    free.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert done == list(range(1, 200))
    assert [line["event"] for line in lines] == ["text_not_sent"] * 2


async def test_an_account_finds_out_only_so_often_which_addresses_are_taken(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**CONFIRMED, codes_per_hour=3))
    body = {"email": "dora@clinic.test", "currentPassword": PASSWORD}
    codes = [(await clinic.ask("PATCH", "/api/v1/users/me", "carl", json=body)).code for _ in range(4)]
    assert codes == ["email_taken"] * 3 + ["too_many_requests"]
    assert (await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Carl B."})).status == 200
