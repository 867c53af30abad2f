"""The log-ins of a person, listed and ended one by one."""

from typing import Any

from tests.api.rest_clinic import PASSWORD, RestClinic

SESSIONS = "/api/v1/users/me/sessions"


async def signed_in(clinic: RestClinic, device: str, name: str = "carl") -> dict[str, Any]:
    body = {"email": f"{name}@clinic.test", "password": PASSWORD}
    answer = await clinic.ask("POST", "/api/v1/auth/patient/login", json=body, headers={"User-Agent": device})
    assert answer.status == 200
    return dict(answer.body)


async def test_the_log_ins_that_have_not_ended_are_listed_with_their_devices(clinic: RestClinic) -> None:
    phone, desk = await signed_in(clinic, "Phone/1\t" + "x" * 300), await signed_in(clinic, "Desk/2")
    ended, _ = await signed_in(clinic, "Old/3"), await signed_in(clinic, "Doras/4", "dora")
    await clinic.ask("POST", "/api/v1/auth/logout", token=ended["accessToken"])
    began = clinic.clock()
    clinic.clock.now = began.replace(minute=5)
    await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": phone["refreshToken"]})

    listed = (await clinic.ask("GET", SESSIONS, token=desk["accessToken"])).body

    assert {one["device"]: (one["current"], one["lastUsedAt"]) for one in listed} == {
        ("Phone/1 " + "x" * 300)[:200]: (False, "2026-11-23T08:05:00Z"),
        "Desk/2": (True, "2026-11-23T08:00:00Z"),
    }


async def test_one_log_in_is_ended_and_the_others_go_on(clinic: RestClinic) -> None:
    phone, desk = await signed_in(clinic, "Phone/1"), await signed_in(clinic, "Desk/2")
    of_phone = next(
        one["id"]
        for one in (await clinic.ask("GET", SESSIONS, token=desk["accessToken"])).body
        if one["device"] == "Phone/1"
    )

    assert (await clinic.ask("DELETE", f"{SESSIONS}/{of_phone}", "dora")).status == 404
    assert (await clinic.ask("GET", "/api/v1/users/me", token=phone["accessToken"])).status == 200
    assert (await clinic.ask("DELETE", f"{SESSIONS}/{of_phone}", token=desk["accessToken"])).status == 204
    assert (await clinic.ask("GET", "/api/v1/users/me", token=phone["accessToken"])).code == "invalid_token"
    assert (await clinic.ask("DELETE", f"{SESSIONS}/{of_phone}", token=desk["accessToken"])).status == 404
    assert len((await clinic.ask("GET", SESSIONS, token=desk["accessToken"])).body) == 1
