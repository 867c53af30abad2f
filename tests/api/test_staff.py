"""Receptionists: their own log-in, the first password, and what they do for every doctor."""

from typing import Any

import pytest

from hub.ops.staff_accounts import NewReceptionist, create_receptionist, disable_receptionist, enable_receptionist
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, opening

LOG_IN = "/api/v1/auth/{}/login"
ME = "/api/v1/users/me"
A = "/api/v1/appointments"
DOORS = ("doctor", "patient", "staff")


async def log_in(clinic: RestClinic, door: str, email: str, password: str) -> Answer:
    return await clinic.ask("POST", LOG_IN.format(door), json={"email": email, "password": password})


async def first_log_in(clinic: RestClinic) -> tuple[str, Answer]:
    """Create a receptionist; return the first password and the answer to the first log-in."""
    receptionist = NewReceptionist(name="Tess", email="tess@clinic.test", phone=None)
    made = await create_receptionist(clinic.services.records.users, receptionist, clinic.clock(), 4)
    assert isinstance(made, tuple)
    return made[1], await log_in(clinic, "staff", "tess@clinic.test", made[1])


@pytest.mark.parametrize(("person", "door"), [("ada", "doctor"), ("carl", "patient"), ("robin", "staff")])
async def test_each_role_logs_in_at_its_own_endpoint_only(clinic: RestClinic, person: str, door: str) -> None:
    answers = {each: await log_in(clinic, each, f"{person}@clinic.test", PASSWORD) for each in DOORS}
    assert answers.pop(door).status == 200
    wrong = await log_in(clinic, door, f"{person}@clinic.test", "wrong password")
    for answer in answers.values():
        assert (answer.code, answer.body["detail"]) == (wrong.code, wrong.body["detail"])
        assert wrong.code == "invalid_credentials"


async def test_a_first_password_opens_nothing_but_its_change(clinic: RestClinic) -> None:
    password, answer = await first_log_in(clinic)
    assert answer.body["passwordChangeRequired"] is True
    first = answer.body["accessToken"]
    assert (await clinic.ask("GET", ME, token=first)).code == "password_change_required"
    # A refresh does not open more.
    refreshed = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": answer.body["refreshToken"]})
    assert refreshed.body["passwordChangeRequired"] is True
    assert (await clinic.ask("GET", ME, token=refreshed.body["accessToken"])).code == "password_change_required"

    async def change(new: str) -> Answer:
        body = {"current": password, "new": new}
        return await clinic.ask("POST", "/api/v1/auth/password", token=refreshed.body["accessToken"], json=body)

    same = await change(password)
    assert [error["pointer"] for error in same.body["errors"]] == ["/new"]
    assert (await change("My-own-words-8")).status == 204
    own = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": refreshed.body["refreshToken"]})
    assert own.body["passwordChangeRequired"] is False
    assert (await clinic.ask("GET", ME, token=own.body["accessToken"])).body["role"] == "receptionist"
    again = await log_in(clinic, "staff", "tess@clinic.test", "My-own-words-8")
    assert (again.status, again.body["passwordChangeRequired"]) == (200, False)


async def test_a_disabled_receptionist_is_refused_until_enabled_again(clinic: RestClinic) -> None:
    answer = await log_in(clinic, "staff", "robin@clinic.test", PASSWORD)
    records, robin = clinic.services.records, clinic.people["robin"]
    assert await disable_receptionist(records, robin, clinic.clock) == 1
    await clinic.services.revocations.compare()
    assert (await clinic.ask("GET", ME, token=answer.body["accessToken"])).code == "invalid_token"
    refreshed = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": answer.body["refreshToken"]})
    assert refreshed.code == "invalid_token"
    assert (await log_in(clinic, "staff", "robin@clinic.test", PASSWORD)).code == "forbidden"
    disabled = await records.users.by_id(robin.id)
    assert disabled
    await enable_receptionist(records, disabled)
    assert (await log_in(clinic, "staff", "robin@clinic.test", PASSWORD)).status == 200


async def test_a_receptionist_acts_for_every_doctor_and_the_history_says_so(clinic: RestClinic) -> None:
    robin = {"id": clinic.id("robin"), "role": "receptionist", "via": "rest"}
    for doctor in ("ada", "ben"):
        start = opening(1 if doctor == "ada" else 2)
        appointment = await clinic.book("robin", doctor, start, patientId=clinic.id("carl"))
        path = f"{A}/{appointment}"
        for change, body in (("confirm", None), ("reschedule", {"start": opening(3).isoformat()}), ("cancel", None)):
            if doctor == "ben" and change == "reschedule":
                continue  # Carl is with Ada then
            answer = await clinic.ask("PATCH", f"{path}/{change}", "robin", **({"json": body} if body else {}))
            assert answer.status == 200, answer.body
        history = (await clinic.ask("GET", f"{path}/history", "robin")).body
        assert [event["by"] for event in history] == [robin] * len(history)


async def test_a_receptionist_completes_an_appointment(clinic: RestClinic) -> None:
    appointment = await clinic.book("carl", "ada", opening(0, half_hours=1))
    done = await clinic.ask("PATCH", f"{A}/{appointment}/complete", "robin")
    assert (done.status, done.body["status"]) == (200, "completed")


async def test_a_receptionist_books_for_a_patient_only(clinic: RestClinic) -> None:
    async def refused(**more: Any) -> Answer:
        body = {"doctorId": clinic.id("ada"), "start": opening(1).isoformat(), **more}
        answer = await clinic.ask("POST", A, "robin", json=body)
        assert answer.code == "invalid_request"
        return answer

    for patient in ({}, {"patientId": "nobody"}, {"patientId": clinic.id("ben")}, {"patientId": clinic.id("robin")}):
        assert [error["pointer"] for error in (await refused(**patient)).body["errors"]] == ["/patientId"]


async def test_a_receptionist_lists_the_appointments_of_all_doctors_by_start_in_pages(clinic: RestClinic) -> None:
    booked = [
        await clinic.book(who, doctor, opening(1, half_hours=number))
        for number, (who, doctor) in enumerate([("carl", "ada"), ("dora", "ben"), ("carl", "ben"), ("dora", "ada")])
    ]
    listed, path = [], f"{A}?limit=1"
    while path:
        answer = await clinic.ask("GET", path, "robin")
        listed += [appointment["id"] for appointment in answer.body]
        link = answer.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
    assert listed == booked
    of_ben = await clinic.ask("GET", A, "robin", params={"doctorId": clinic.id("ben")})
    assert [appointment["id"] for appointment in of_ben.body] == booked[1:3]
    of_carl = await clinic.ask("GET", A, "robin", params={"patientId": clinic.id("carl")})
    assert [appointment["id"] for appointment in of_carl.body] == [booked[0], booked[2]]


async def test_a_receptionist_has_no_part_in_figures_hours_texts_and_calendar_links(clinic: RestClinic) -> None:
    appointment = await clinic.book("carl", "ada", opening(1))
    for method, path in (
        ("GET", f"{A}/stats/doctor/{clinic.id('ada')}"),
        ("GET", "/api/v1/doctors/me/hours"),
        ("GET", f"{A}/{appointment}/texts"),
        ("POST", f"{ME}/calendar-link"),
    ):
        assert (await clinic.ask(method, path, "robin", json={"password": PASSWORD})).code == "forbidden"
