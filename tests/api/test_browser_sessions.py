"""Log-ins of pages: the refresh token is in a cookie that no script reads, for the hub's own pages only."""

from http.cookies import Morsel, SimpleCookie

import pytest

from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import PASSWORD, PRODUCTION, Answer, RestClinic, make_services

B = "/api/v1/browser"
PAGE = {"X-Requested-By": "page", "Sec-Fetch-Site": "same-origin"}
ADA = {"email": "ada@clinic.test", "password": PASSWORD}
NEW = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550199", "password": PASSWORD}


def cookie_of(answer: Answer, name: str = "refresh") -> Morsel[str]:
    cookies = [each for sent in answer.headers.getall("Set-Cookie") for each in SimpleCookie(sent).values()]
    [cookie] = [each for each in cookies if each.key.endswith(f"clinic-hub-{name}")]
    return cookie


async def refresh(clinic: RestClinic, cookie: Morsel[str] | None = None, key: str | None = None) -> Answer:
    """Refresh with the cookie of an earlier answer, or with the one that the client has kept."""
    headers = PAGE | ({"Idempotency-Key": key} if key else {})
    if cookie is not None:
        clinic.client.session.cookie_jar.clear()
        headers["Cookie"] = f"{cookie.key}={cookie.value}"
    return await clinic.ask("POST", f"{B}/refresh", headers=headers)


@pytest.mark.parametrize(("who", "role"), [("ada", "doctor"), ("carl", "patient"), ("robin", "receptionist")])
async def test_one_door_lets_all_roles_in(clinic: RestClinic, who: str, role: str) -> None:
    account = {"email": f"{who}@clinic.test", "password": PASSWORD}
    answer = await clinic.ask("POST", f"{B}/sign-in", json=account, headers=PAGE)
    assert (answer.status, answer.body["user"]["role"]) == (200, role)
    assert answer.body.keys() == {"accessToken", "expiresIn", "user", "passwordChangeRequired", "secondFactorRequired"}
    assert (await clinic.ask("GET", "/api/v1/users/me", token=answer.body["accessToken"])).body["role"] == role


async def test_a_patient_signs_up_and_is_signed_in(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", f"{B}/sign-up", json=NEW, headers=PAGE)
    assert (answer.status, answer.body["user"]["name"]) == (201, "Emma")
    assert (await refresh(clinic)).body["user"]["id"] == answer.body["user"]["id"]
    assert (await clinic.ask("POST", f"{B}/sign-up", json=NEW, headers=PAGE)).code == "email_taken"


async def test_the_refresh_token_is_only_in_the_cookie(clinic: RestClinic) -> None:
    answer = await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE)
    cookie = cookie_of(answer)
    assert cookie.value.split(".")[1] not in str(answer.body)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (B, True, "Strict")
    assert cookie["max-age"] == str(30 * 24 * 60 * 60)
    assert not cookie["secure"]  # plain http, in development
    assert cookie.key == "clinic-hub-refresh"


async def test_a_browser_that_has_been_in_before_is_not_kept_out_by_the_guesses_of_others_in_its_network(
    open_for_test: OpenClinic,
) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute=2, logins_per_minute_per_address=5))
    wrong = ADA | {"password": "not-the-one-1"}
    own = cookie_of(await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE), "device")
    assert (own["path"], own["httponly"], own["samesite"]) == (B, True, "Strict")
    assert own["max-age"] == str(90 * 24 * 60 * 60)
    clinic.client.session.cookie_jar.clear()
    guesses = [await clinic.ask("POST", f"{B}/sign-in", json=wrong, headers=PAGE) for _ in range(3)]
    assert guesses[-1].code == "too_many_requests"
    stranger = PAGE | {"Cookie": f"{own.key}={'x' * 32}"}
    assert (await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=stranger)).code == "too_many_requests"
    known = PAGE | {"Cookie": f"{own.key}={own.value}"}
    signed_in = await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=known)
    assert (signed_in.status, cookie_of(signed_in, "device").value) == (200, own.value)
    # It has a limit of its own, and is known for the account of its user only.
    clinic.client.session.cookie_jar.clear()
    for _ in range(2):
        last = await clinic.ask("POST", f"{B}/sign-in", json=wrong, headers=known)
    assert last.code == "too_many_requests"
    other = {"email": "carl@clinic.test", "password": "not-the-one-1"}
    for _ in range(3):
        last = await clinic.ask("POST", f"{B}/sign-in", json=other, headers=known)
    assert last.code == "too_many_requests"


async def test_in_production_the_cookie_is_for_https_only(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(**PRODUCTION))
    cookie = cookie_of(await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE))
    assert (cookie["secure"], cookie.key) == (True, "__Secure-clinic-hub-refresh")
    assert (await refresh(clinic, cookie)).status == 200
    cookie.set("clinic-hub-refresh", cookie.value, cookie.value)  # of a host that could not set the other name
    assert (await refresh(clinic, cookie)).code == "invalid_token"


async def test_a_refresh_gives_a_new_cookie_and_the_old_one_ends_the_log_in(clinic: RestClinic) -> None:
    first = await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE)
    second = await refresh(clinic, cookie_of(first))
    assert second.status == 200
    assert cookie_of(second).value != cookie_of(first).value
    assert (await refresh(clinic, cookie_of(first))).code == "invalid_token"
    assert (await refresh(clinic, cookie_of(second))).code == "invalid_token"
    assert (await clinic.ask("GET", "/api/v1/users/me", token=second.body["accessToken"])).code == "invalid_token"


async def test_a_refresh_whose_answer_was_lost_is_repeated_under_its_key(clinic: RestClinic) -> None:
    signed_in = cookie_of(await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE))
    first, again = await refresh(clinic, signed_in, "k"), await refresh(clinic, signed_in, "k")
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert (cookie_of(again).value, again.body["accessToken"]) == (cookie_of(first).value, first.body["accessToken"])


async def test_without_a_cookie_nobody_is_signed_in(clinic: RestClinic) -> None:
    assert (await refresh(clinic)).code == "invalid_token"


async def test_signing_out_ends_the_log_in_and_removes_the_cookie(clinic: RestClinic) -> None:
    signed_in = await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE)
    out = await clinic.ask("POST", f"{B}/sign-out", headers=PAGE)
    assert (out.status, cookie_of(out).value, cookie_of(out)["max-age"]) == (204, "", "0")
    assert (await clinic.ask("GET", "/api/v1/users/me", token=signed_in.body["accessToken"])).code == "invalid_token"
    assert (await refresh(clinic, cookie_of(signed_in))).code == "invalid_token"
    assert (await clinic.ask("POST", f"{B}/sign-out", headers=PAGE)).status == 204


@pytest.mark.parametrize("action", ["sign-in", "sign-up", "sign-up/confirm", "refresh", "sign-out"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "invalid_request"),
        ({"Sec-Fetch-Site": "same-origin"}, "invalid_request"),
        ({"X-Requested-By": "somebody", "Sec-Fetch-Site": "same-origin"}, "invalid_request"),
        ({"X-Requested-By": "page"}, "forbidden"),
        ({"X-Requested-By": "page", "Sec-Fetch-Site": "same-site"}, "forbidden"),
        ({"X-Requested-By": "page", "Sec-Fetch-Site": "cross-site"}, "forbidden"),
        ({"X-Requested-By": "page", "Sec-Fetch-Site": "none"}, "forbidden"),
        ({"X-Requested-By": "page", "Origin": "https://elsewhere.example"}, "forbidden"),
        ({"X-Requested-By": "page", "Origin": "null"}, "forbidden"),
    ],
)
async def test_only_the_hubs_own_pages_may_use_the_cookie(
    clinic: RestClinic, action: str, headers: dict[str, str], code: str
) -> None:
    cookie = cookie_of(await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=PAGE))
    code_of_nobody = {"signUpId": "nobodys", "code": "000000"}
    body = {"sign-in": ADA, "sign-up": NEW, "sign-up/confirm": code_of_nobody}.get(action)
    assert (await clinic.ask("POST", f"{B}/{action}", json=body, headers=headers)).code == code
    assert (await refresh(clinic, cookie)).status == 200  # and nothing has happened to the log-in


async def test_a_page_over_plain_http_is_known_by_its_origin(clinic: RestClinic) -> None:
    origin = str(clinic.client.make_url("/")).rstrip("/")
    headers = {"X-Requested-By": "page", "Origin": origin}
    assert (await clinic.ask("POST", f"{B}/sign-in", json=ADA, headers=headers)).status == 200


async def test_no_other_origin_may_send_the_header_of_pages(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(cors_origins=("https://desk.example",)))
    asked = {
        "Origin": "https://desk.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-requested-by",
    }
    async with clinic.client.options(f"{B}/refresh", headers=asked) as answer:
        assert "x-requested-by" not in answer.headers["Access-Control-Allow-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_wrong_passwords_are_limited_as_at_the_other_doors(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(logins_per_minute=2))
    wrong = {**ADA, "password": "not-the-one"}
    codes = [(await clinic.ask("POST", f"{B}/sign-in", json=wrong, headers=PAGE)).code for _ in range(3)]
    assert codes == ["invalid_credentials", "invalid_credentials", "too_many_requests"]
    assert (await clinic.ask("POST", "/api/v1/auth/doctor/login", json=ADA)).code == "too_many_requests"
