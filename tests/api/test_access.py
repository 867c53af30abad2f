"""A walk over every endpoint with every kind of caller, against a table written by hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from api.app import TABLE
from api.documents.routes import PATHS
from api.http.identity import Access
from api.metrics import PATH as METRICS
from hub.bus.messages import SessionEnded
from hub.ops.staff_accounts import disable_receptionist
from tests.api.pictures import form, picture, upload
from tests.api.rest_clinic import PASSWORD, RestClinic, opening

CALLERS = (
    *("nobody", "patient", "other patient", "doctor", "other doctor", "receptionist"),
    *("expired token", "tampered token", "revoked token", "receptionist's expired token", "disabled receptionist"),
    "first password",
)
PEOPLE = {
    "patient": "carl",
    "other patient": "dora",
    "doctor": "ada",
    "other doctor": "ben",
    "receptionist": "robin",
}


@dataclass(frozen=True)
class Row:
    """What a request to an endpoint is answered: by status, in the order of the first six callers.

    The path's `{appointment}` is one of Carl with Ada that starts in half an hour, `{time_off}` one of Ada's, and
    `{guest}` a patient without a log-in, `{entry}` Carl's entry of Ada's waitlist.
    """

    method: str
    template: str
    answers: tuple[int, int, int, int, int, int]
    path: str = ""
    json: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, bytes] | None = None
    headers: dict[str, str] | None = None


A = "/api/v1/appointments"
B = "/api/v1/board"
F = "/api/v1/users/me/second-factor"
W = "/api/v1/waitlist"
WISH = {"from": "2026-11-30", "to": "2026-12-04"}
CARLS = {"patientId": "patient-carl", **WISH}
ME = "/api/v1/doctors/me"
SLOT = opening(1).isoformat()
TIME_OFF = {"start": opening(7).isoformat(), "end": opening(8).isoformat()}
PICTURE = picture()
NEW_PATIENT = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550199", "password": PASSWORD}
PAGE = {"X-Requested-By": "page", "Sec-Fetch-Site": "same-origin"}
KEYED = {"Idempotency-Key": "today"}
ROWS = [
    #                                               nobody patient other doctor other receptionist
    Row("POST", "/api/v1/auth/patient/signup", (201, 201, 201, 201, 201, 201), json=NEW_PATIENT),
    Row(
        "POST",
        "/api/v1/auth/patient/login",
        (200, 200, 200, 200, 200, 200),
        json={"email": "carl@clinic.test", "password": PASSWORD},
    ),
    Row(
        "POST",
        "/api/v1/auth/doctor/login",
        (200, 200, 200, 200, 200, 200),
        json={"email": "ada@clinic.test", "password": PASSWORD},
    ),
    Row(
        "POST",
        "/api/v1/auth/staff/login",
        (200, 200, 200, 200, 200, 200),
        json={"email": "robin@clinic.test", "password": PASSWORD},
    ),
    Row("POST", "/api/v1/auth/refresh", (401, 401, 401, 401, 401, 401), json={"refreshToken": "none"}),
    Row("POST", "/api/v1/browser/sign-up", (201, 201, 201, 201, 201, 201), json=NEW_PATIENT, headers=PAGE),
    Row(
        "POST",
        "/api/v1/auth/patient/signup/confirm",
        (422, 422, 422, 422, 422, 422),
        json={"signUpId": "nobodys", "code": "000000"},
    ),
    Row(
        "POST",
        "/api/v1/browser/sign-up/confirm",
        (422, 422, 422, 422, 422, 422),
        json={"signUpId": "nobodys", "code": "000000"},
        headers=PAGE,
    ),
    Row(
        "POST",
        "/api/v1/browser/sign-in",
        (200, 200, 200, 200, 200, 200),
        json={"email": "ada@clinic.test", "password": PASSWORD},
        headers=PAGE,
    ),
    # Their door is the cookie of a page.
    Row("POST", "/api/v1/browser/refresh", (401, 401, 401, 401, 401, 401), headers=PAGE),
    Row("POST", "/api/v1/browser/sign-out", (204, 204, 204, 204, 204, 204), headers=PAGE),
    Row("POST", "/api/v1/auth/logout", (401, 204, 204, 204, 204, 204)),
    Row("POST", "/api/v1/auth/logout/all", (401, 204, 204, 204, 204, 204)),
    Row(
        "POST",
        "/api/v1/auth/password",
        (401, 204, 204, 204, 204, 204),
        json={"current": PASSWORD, "new": "Another-horse-7"},
    ),
    Row("GET", "/api/v1/users/me", (401, 200, 200, 200, 200, 200)),
    Row("PATCH", "/api/v1/users/me", (401, 200, 200, 200, 200, 200), json={"name": "Somebody"}),
    Row("GET", "/api/v1/users/me/export", (401, 200, 200, 200, 200, 200)),
    Row("DELETE", "/api/v1/users/me", (401, 204, 204, 403, 403, 403), json={"password": PASSWORD}),
    Row("POST", "/api/v1/users/me/photo", (401, 200, 200, 200, 200, 200), form={"photo": PICTURE}),
    Row("DELETE", "/api/v1/users/me/photo", (401, 204, 204, 204, 204, 204)),
    Row("GET", "/api/v1/users/{id}/photo", (401, 200, 200, 200, 200, 200), "/api/v1/users/doctor-ada/photo"),
    Row("GET", "/api/v1/users/{id}/photo", (401, 200, 404, 200, 404, 200), "/api/v1/users/patient-carl/photo"),
    Row("POST", "/api/v1/users/me/phone/code", (401, 202, 202, 202, 202, 202)),
    Row("POST", "/api/v1/users/me/phone/verify", (401, 200, 200, 200, 200, 200), json={"code": "000000"}),
    Row(
        "POST",
        "/api/v1/auth/password/forgot",
        (202, 202, 202, 202, 202, 202),
        json={"email": "carl@clinic.test"},
    ),
    Row(
        "POST",
        "/api/v1/auth/password/reset",
        (422, 422, 422, 422, 422, 422),
        json={"email": "carl@clinic.test", "code": "000000", "password": "Another-horse-7"},
    ),
    Row("GET", F, (401, 403, 403, 200, 200, 200)),
    Row("POST", F, (401, 403, 403, 201, 201, 201), json={"password": PASSWORD}),
    Row("POST", F + "/confirm", (401, 403, 403, 403, 403, 403), json={"code": "123456"}),
    Row("POST", F + "/disable", (401, 403, 403, 403, 403, 403), json={"password": PASSWORD, "code": "123456"}),
    Row("POST", F + "/recovery-codes", (401, 403, 403, 403, 403, 403), json={"password": PASSWORD, "code": "123456"}),
    Row("GET", "/api/v1/users/me/sessions", (401, 200, 200, 200, 200, 200)),
    Row(
        "DELETE",
        "/api/v1/users/me/sessions/{id}",
        (401, 404, 404, 404, 404, 404),
        "/api/v1/users/me/sessions/somebodys",
    ),
    Row("POST", "/api/v1/users/me/calendar-link", (401, 201, 201, 201, 201, 403), json={"password": PASSWORD}),
    Row("DELETE", "/api/v1/users/me/calendar-link", (401, 204, 204, 204, 204, 403)),
    Row(
        "GET",
        "/api/v1/calendars/{id}/{key}.ics",
        (404, 404, 404, 404, 404, 404),
        "/api/v1/calendars/doctor-ada/guess.ics",
    ),
    Row("POST", "/api/v1/displays", (401, 403, 403, 403, 403, 201)),
    Row("DELETE", "/api/v1/displays", (401, 403, 403, 403, 403, 204)),
    Row(
        "GET",
        "/api/v1/displays/{id}/{key}",
        (404, 404, 404, 404, 404, 404),
        "/api/v1/displays/receptionist-robin/guess",
    ),
    Row("GET", "/api/v1/doctors", (200, 200, 200, 200, 200, 200)),
    Row("GET", "/api/v1/doctors/{id}", (200, 200, 200, 200, 200, 200), "/api/v1/doctors/doctor-ada"),
    Row(
        "GET",
        "/api/v1/doctors/{id}/slots",
        (200, 200, 200, 200, 200, 200),
        "/api/v1/doctors/doctor-ada/slots",
        query={"date": "2026-11-24"},
    ),
    Row(
        "GET",
        "/api/v1/doctors/{id}/free-days",
        (200, 200, 200, 200, 200, 200),
        "/api/v1/doctors/doctor-ada/free-days",
    ),
    Row(
        "POST",
        "/api/v1/doctors/{id}/move-day",
        (401, 403, 403, 200, 403, 200),
        "/api/v1/doctors/doctor-ada/move-day",
        json={"date": "2026-11-23", "by": 30},
        headers=KEYED,
    ),
    Row(
        "POST",
        "/api/v1/doctors/{id}/cancel-day",
        (401, 403, 403, 200, 403, 200),
        "/api/v1/doctors/doctor-ada/cancel-day",
        json={"date": "2026-11-23", "reason": "The doctor is ill"},
        headers=KEYED,
    ),
    Row("POST", "/api/v1/patients", (401, 403, 403, 403, 403, 201), json={"name": "Lea"}),
    Row("GET", "/api/v1/patients", (401, 403, 403, 200, 200, 200), query={"q": "ca"}),
    Row(
        "PATCH", "/api/v1/patients/{id}", (401, 403, 403, 403, 403, 200), "/api/v1/patients/{guest}", json={"name": "X"}
    ),
    Row(
        "POST",
        "/api/v1/patients/{id}/join",
        (401, 403, 403, 403, 403, 200),
        "/api/v1/patients/{guest}/join",
        json={"into": "patient-carl"},
    ),
    Row("GET", "/api/v1/patients/{id}", (401, 403, 403, 200, 404, 200), "/api/v1/patients/patient-carl"),
    Row("GET", ME + "/hours", (401, 403, 403, 200, 200, 403)),
    Row(
        "PUT",
        ME + "/hours",
        (401, 403, 403, 200, 200, 403),
        json={"shifts": [{"weekday": 0, "opens": 0, "closes": 60}]},
    ),
    Row("GET", ME + "/time-off", (401, 403, 403, 200, 200, 403)),
    Row("POST", ME + "/time-off", (401, 403, 403, 201, 201, 403), json={"start": SLOT, "end": opening(2).isoformat()}),
    Row("DELETE", ME + "/time-off/{id}", (401, 403, 403, 204, 404, 403), ME + "/time-off/{time_off}"),
    Row("POST", A, (401, 201, 201, 422, 403, 422), json={"doctorId": "doctor-ada", "start": SLOT}),
    Row(
        "POST",
        A,
        (401, 201, 403, 201, 403, 201),
        json={"doctorId": "doctor-ada", "start": SLOT, "patientId": "patient-carl"},
    ),
    Row("GET", A, (401, 200, 200, 200, 200, 200)),
    Row("GET", A, (401, 200, 403, 200, 200, 200), query={"patientId": "patient-carl"}),
    Row("GET", A, (401, 200, 200, 200, 403, 200), query={"doctorId": "doctor-ada"}),
    Row("GET", A + "/{id}", (401, 200, 404, 200, 404, 200), A + "/{appointment}"),
    Row("GET", B, (401, 403, 403, 200, 200, 200), query={"date": "2026-11-24"}),
    Row("GET", B, (401, 403, 403, 200, 403, 200), query={"date": "2026-11-24", "doctorId": "doctor-ada"}),
    Row("GET", A + "/{id}/history", (401, 200, 404, 200, 404, 200), A + "/{appointment}/history"),
    Row("GET", A + "/{id}/calendar.ics", (401, 200, 404, 200, 404, 200), A + "/{appointment}/calendar.ics"),
    Row("GET", A + "/{id}/texts", (401, 403, 403, 200, 404, 403), A + "/{appointment}/texts"),
    Row("GET", "/api/v1/texts/undelivered", (401, 403, 403, 200, 200, 403)),
    Row("GET", A + "/stats/doctor/{id}", (401, 403, 403, 200, 403, 403), A + "/stats/doctor/doctor-ada"),
    Row("GET", A + "/stats/doctor/{id}", (401, 403, 403, 403, 403, 403), A + "/stats/doctor/doctor-nobody"),
    Row("PATCH", A + "/{id}/confirm", (401, 200, 404, 200, 404, 200), A + "/{appointment}/confirm"),
    Row("PATCH", A + "/{id}/cancel", (401, 200, 404, 200, 404, 200), A + "/{appointment}/cancel"),
    Row("PATCH", A + "/{id}/complete", (401, 403, 403, 200, 404, 200), A + "/{appointment}/complete"),
    Row("PATCH", A + "/{id}/check-in", (401, 403, 403, 200, 404, 200), A + "/{appointment}/check-in"),
    Row("PATCH", A + "/{id}/call-in", (401, 403, 403, 409, 404, 409), A + "/{appointment}/call-in"),
    Row("PATCH", A + "/{id}/undo-visit", (401, 403, 403, 409, 404, 409), A + "/{appointment}/undo-visit"),
    Row(
        "PATCH",
        A + "/{id}/reschedule",
        (401, 200, 404, 200, 404, 200),
        A + "/{appointment}/reschedule",
        json={"start": SLOT},
    ),
    Row("PATCH", A + "/{id}/accept", (401, 409, 404, 409, 404, 409), A + "/{appointment}/accept"),
    Row("PATCH", A + "/{id}/decline", (401, 409, 404, 409, 404, 409), A + "/{appointment}/decline"),
    Row("GET", W, (401, 200, 200, 200, 403, 200), query={"doctorId": "doctor-ada"}),
    Row("POST", W, (401, 201, 201, 422, 403, 422), json={"doctorId": "doctor-ada", **WISH}),
    Row(
        "POST", W, (401, 201, 403, 201, 403, 201), json={"doctorId": "doctor-ada", "patientId": "patient-carl", **WISH}
    ),
    Row("DELETE", W + "/{id}", (401, 200, 404, 200, 404, 200), W + "/{entry}"),
    Row("POST", W + "/{id}/offer", (401, 403, 403, 201, 404, 201), W + "/{entry}/offer", json={"start": SLOT}),
    Row("GET", "/api/v1/time/now", (200, 200, 200, 200, 200, 200)),
    # Its door is a signature; without Twilio's keys there is none.
    Row("POST", "/api/v1/twilio/webhook", (404, 404, 404, 404, 404, 404)),
    Row("POST", "/api/v1/twilio/status", (404, 404, 404, 404, 404, 404)),
    Row("GET", "/health/live", (200, 200, 200, 200, 200, 200)),
    Row("GET", "/health/ready", (200, 200, 200, 200, 200, 200)),
]


def test_every_endpoint_is_in_the_table_below_and_nothing_else() -> None:
    assert {(row.method, row.template) for row in ROWS} == {(each.method, each.path) for each in TABLE}


def tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    return ".".join([header, payload, ("A" if signature[0] != "A" else "B") + signature[1:]])


async def token_of_a_disabled_receptionist(clinic: RestClinic) -> str:
    """Return the access token of a log-in that `clinic-hub staff disable` ended, as soon as the processes know."""
    account = {"email": "rosa@clinic.test", "password": PASSWORD}
    token = (await clinic.ask("POST", "/api/v1/auth/staff/login", json=account)).body["accessToken"]
    assert await disable_receptionist(clinic.services.records, clinic.people["rosa"], clinic.clock) == 1
    await clinic.services.revocations.compare()
    return str(token)


async def token_of(clinic: RestClinic, caller: str) -> str | None:
    """Return the access token that this caller sends."""
    who = PEOPLE.get(caller, "robin" if "receptionist" in caller or caller == "first password" else "carl")
    token = clinic.token(who)
    if caller.endswith("expired token"):
        clinic.clock.forward(timedelta(minutes=16))
    match caller:
        case "nobody":
            return None
        case "tampered token":
            return tampered(token)
        case "revoked token":
            clinic.services.revocations.receive(SessionEnded(session_id="session-of-carl", at=clinic.clock()))
        case "disabled receptionist":
            return await token_of_a_disabled_receptionist(clinic)
        case "first password":
            return clinic.token_with_a_first_password("robin")
    return token


def name_of(row: Row) -> str:
    return f"{row.method} {row.template} {row.query or ''}"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", ROWS, ids=name_of)
async def test_each_caller_has_the_access_in_the_table(clinic: RestClinic, row: Row, caller: str) -> None:
    appointment = await clinic.book("carl", "ada", opening(0, half_hours=1))
    for person in ("ada", "carl"):
        await upload(clinic, person, PICTURE)
    away = await clinic.ask("POST", ME + "/time-off", "ada", json=TIME_OFF)
    guest = (await clinic.ask("POST", "/api/v1/patients", "robin", json={"name": "Guest"})).body["id"]
    names = {}
    if "{entry}" in row.path:
        wish = {"doctorId": "doctor-ada", "from": "2026-11-24", "to": "2026-11-24"}
        names["entry"] = (await clinic.ask("POST", W, "carl", json=wish)).body["id"]
    token = await token_of(clinic, caller)
    names |= {"appointment": appointment, "time_off": away.body["timeOff"]["id"], "guest": guest}
    path = (row.path or row.template).format(**names)
    before = await clinic.services.records.appointments.last_seq("doctor-ada")

    sent: dict[str, Any] = {"data": form(**row.form)} if row.form else {"json": row.json}
    answer = await clinic.ask(row.method, path, token=token, params=row.query, headers=row.headers, **sent)

    [access] = [each.access for each in TABLE if (each.method, each.path) == (row.method, row.template)]
    open_to_all = access is Access.ANYONE
    if caller in PEOPLE or caller == "nobody" or open_to_all:
        assert answer.status == row.answers[CALLERS.index(caller) if caller in PEOPLE else 0]
    elif caller == "first password":
        allowed = access is Access.ANY_LOG_IN
        assert (answer.status, answer.code) == ((204, None) if allowed else (403, "password_change_required"))
    else:
        assert (answer.status, answer.code) == (
            401,
            "token_expired" if caller.endswith("expired token") else "invalid_token",
        )
    if answer.status >= 400:
        assert await clinic.services.records.appointments.last_seq("doctor-ada") == before
    if answer.status == 401 and not open_to_all:
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="clinic-hub"')


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", sorted({*PATHS, METRICS}))
async def test_documents_and_metrics_are_open_to_anyone(clinic: RestClinic, path: str, caller: str) -> None:
    headers = {} if caller == "nobody" else {"Authorization": f"Bearer {clinic.token(PEOPLE.get(caller, 'carl'))}"}
    if caller.endswith("expired token"):
        clinic.clock.forward(timedelta(minutes=16))
    async with clinic.client.get(path, headers=headers) as response:
        assert response.status == 200
        text = await response.text()
    # To read them, nobody has to be known: so nobody may be known by them.
    assert not [account.id for account in clinic.people.values() if account.id in text]


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_calendar_feed_opens_only_with_its_link(clinic: RestClinic, caller: str) -> None:
    await clinic.book("carl", "ada", opening(1))
    path = (await clinic.ask("POST", "/api/v1/users/me/calendar-link", "carl", json={"password": PASSWORD})).body[
        "path"
    ]
    token = None if caller == "nobody" else clinic.token(PEOPLE.get(caller, "carl"))
    if caller.endswith("expired token"):
        clinic.clock.forward(timedelta(minutes=16))
    feed = await clinic.ask("GET", path, token=token)
    assert (feed.status, b"SUMMARY:Appointment with Dr. Ada" in feed.body) == (200, True)
    assert (await clinic.ask("GET", path.replace("patient-carl", "patient-dora"), token=token)).status == 404


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "unauthenticated"),
        ("Bearer", "unauthenticated"),
        ("Bearer ", "unauthenticated"),
        ("Basic Y2FybDpwYXNz", "unauthenticated"),
        ("Bearer x", "invalid_token"),
        ("Bearer a.b.c", "invalid_token"),
        ("Bearer " + "x" * 4000, "invalid_token"),
        ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJwYXRpZW50LWNhcmwifQ.", "invalid_token"),
    ],
)
async def test_an_invalid_bearer_token_is_refused(clinic: RestClinic, header: str, code: str) -> None:
    answer = await clinic.ask("GET", "/api/v1/users/me", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, code)


async def test_a_cached_token_is_refused_after_it_has_expired(clinic: RestClinic) -> None:
    token = clinic.token("carl")
    assert (await clinic.ask("GET", "/api/v1/users/me", token=token)).status == 200
    clinic.clock.forward(timedelta(minutes=14, seconds=59))
    assert (await clinic.ask("GET", "/api/v1/users/me", token=token)).status == 200
    clinic.clock.forward(timedelta(seconds=30))
    assert (await clinic.ask("GET", "/api/v1/users/me", token=token)).code == "token_expired"


async def test_the_word_bearer_is_written_in_any_case(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/users/me", headers={"Authorization": f"bEARER {clinic.token('carl')}"})
    assert answer.status == 200
