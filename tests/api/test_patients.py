"""Patients as receptionists and doctors see them."""

from typing import Any

import pytest

from tests.api.rest_clinic import Answer, RestClinic, opening

P = "/api/v1/patients"
LEA = {"name": " Lea Berg ", "phone": "+1 202 555 0123", "email": "Lea@Clinic.test"}


async def register(clinic: RestClinic, body: dict[str, Any], **more: Any) -> Answer:
    return await clinic.ask("POST", P, "robin", json=body, **more)


async def test_a_receptionist_registers_a_patient_who_shares_the_phone_of_others(clinic: RestClinic) -> None:
    answer = await register(clinic, LEA)
    id_ = answer.body["id"]
    assert (answer.status, answer.headers["Location"]) == (201, f"{P}/{id_}")
    expected = {"name": "Lea Berg", "phone": "+12025550123", "email": "lea@clinic.test", "hasLogIn": False}
    expected["joinedInto"] = None
    assert answer.body == {"id": id_, **expected}
    assert (await clinic.ask("GET", f"{P}/{id_}", "robin")).body == answer.body
    assert (await register(clinic, LEA)).body["id"] != id_
    without = await register(clinic, {"name": "Tom"})
    assert (without.status, without.body["phone"], without.body["email"]) == (201, None, None)


async def test_registering_with_a_key_makes_one_patient(clinic: RestClinic) -> None:
    first, again = [await register(clinic, LEA, headers={"Idempotency-Key": "lea"}) for _ in range(2)]
    assert (again.status, again.body) == (201, first.body)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    other = await register(clinic, {"name": "Tom"}, headers={"Idempotency-Key": "lea"})
    assert other.code == "idempotency_key_reused"


async def test_a_repetition_says_what_was_registered_then_also_after_a_change(clinic: RestClinic) -> None:
    key = {"Idempotency-Key": "lea"}
    first = await register(clinic, LEA, headers=key)
    await clinic.ask("PATCH", f"{P}/{first.body['id']}", "robin", json={"name": "Tom"})
    again = await register(clinic, LEA, headers=key)
    assert (again.status, again.body) == (201, first.body)
    assert (await register(clinic, {**LEA, "name": "Tom"}, headers=key)).code == "idempotency_key_reused"


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": "Lea", "phone": "555"}, {"name": "Lea", "email": "lea"}])
async def test_what_is_no_patient_is_refused(clinic: RestClinic, body: dict[str, Any]) -> None:
    assert (await register(clinic, body)).code == "invalid_request"


async def test_a_patient_without_a_log_in_is_booked_and_nobody_logs_in_as_one(clinic: RestClinic) -> None:
    lea = (await register(clinic, LEA)).body["id"]
    await clinic.book("robin", "ada", opening(1), patientId=lea)
    for password in ("", "None", "null"):
        body = {"email": LEA["email"], "password": password}
        assert (await clinic.ask("POST", "/api/v1/auth/patient/login", json=body)).code == "invalid_credentials"


async def test_who_signs_up_later_with_the_same_phone_gets_an_own_account(clinic: RestClinic) -> None:
    lea = (await register(clinic, LEA | {"phone": "+12025550177"})).body["id"]
    body = {"name": "Lea Berg", "email": "lea@clinic.test", "phone": "+12025550177", "password": "Correct-horse-7"}
    signed_up = await clinic.ask("POST", "/api/v1/auth/patient/signup", json=body)
    assert signed_up.status == 201
    assert signed_up.body["user"]["id"] != lea
    shown = await clinic.ask("GET", f"{P}/{signed_up.body['user']['id']}", "robin")
    assert shown.body["hasLogIn"] is True


async def test_a_doctor_sees_the_own_patients_only(clinic: RestClinic) -> None:
    carl = f"{P}/{clinic.id('carl')}"
    assert (await clinic.ask("GET", carl, "ada")).status == 404
    appointment = await clinic.book("carl", "ada", opening(1))
    await clinic.ask("PATCH", f"/api/v1/appointments/{appointment}/cancel", "carl")
    assert (await clinic.ask("GET", carl, "ada")).body["name"] == "Carl"
    assert (await clinic.ask("GET", carl, "ben")).status == 404
    # Staff are no patients.
    assert (await clinic.ask("GET", f"{P}/{clinic.id('ada')}", "robin")).status == 404


async def test_the_log_of_the_process_names_nobody_who_was_looked_at(clinic: RestClinic, lines: list[Any]) -> None:
    lea = (await register(clinic, LEA)).body["id"]
    await clinic.ask("GET", f"{P}/{lea}", "robin")
    await search(clinic, "robin", "20255501")
    assert "Lea" not in str(lines)
    assert lea not in str(lines)
    assert "20255501" not in str(lines)
    assert "Carl" not in str(lines)


async def search(clinic: RestClinic, who: str, query: str, **more: Any) -> list[str]:
    answer = await clinic.ask("GET", P, who, params={"q": query, **more})
    assert answer.status == 200, answer.body
    return [patient["name"] for patient in answer.body]


async def test_a_receptionist_finds_everybody_who_is_a_patient(clinic: RestClinic) -> None:
    lea = (await register(clinic, LEA | {"name": "Léa Bergström"})).body
    assert (await clinic.ask("GET", P, "robin", params={"q": "bergstrom"})).body == [lea]
    assert await search(clinic, "robin", "lea@") == ["Léa Bergström"]
    assert await search(clinic, "robin", "(202) 555-0123") == ["Carl", "Léa Bergström"]
    assert await search(clinic, "robin", "20255501", limit="1") == ["Carl"]
    assert await search(clinic, "robin", "ada") == await search(clinic, "robin", "rosa") == []  # staff are no patients


async def test_a_doctor_finds_those_who_have_or_had_an_appointment(clinic: RestClinic) -> None:
    assert await search(clinic, "ada", "carl") == []
    appointment = await clinic.book("carl", "ada", opening(1))
    await clinic.book("dora", "ben", opening(1))
    await clinic.ask("PATCH", f"/api/v1/appointments/{appointment}/cancel", "carl")
    assert await search(clinic, "ada", "carl") == ["Carl"]
    assert await search(clinic, "ben", "carl") == []
    assert await search(clinic, "ada", "20255501") == ["Carl"]
    await clinic.book("dora", "ada", opening(2))
    assert await search(clinic, "ada", "20255501") == ["Carl", "Dora"]


async def test_who_signs_up_or_is_renamed_is_found(clinic: RestClinic) -> None:
    assert await search(clinic, "robin", "emma") == []
    body = {"name": "Emma", "email": "emma@clinic.test", "phone": "+12025550177", "password": "Correct-horse-7"}
    await clinic.ask("POST", "/api/v1/auth/patient/signup", json=body)
    assert await search(clinic, "robin", "emma") == ["Emma"]
    await clinic.ask("PATCH", "/api/v1/users/me", "carl", json={"name": "Karl Øst"})
    assert await search(clinic, "robin", "oest") == ["Karl Øst"]


@pytest.mark.parametrize(
    "query",
    [
        *({}, {"q": "a"}, {"q": "  a "}, {"q": "a" * 101}, {"q": "an", "limit": "0"}, {"q": "an", "limit": "51"}),
        *({"q[$gt]": ""}, {"q": "an", "name": "x"}),
    ],
)
async def test_what_is_no_search_is_refused(clinic: RestClinic, query: dict[str, str]) -> None:
    assert (await clinic.ask("GET", P, "robin", params=query)).code == "invalid_request"


async def test_the_desk_changes_those_who_cannot_log_in(clinic: RestClinic) -> None:
    lea = (await register(clinic, LEA)).body
    path = f"{P}/{lea['id']}"
    changed = await clinic.ask("PATCH", path, "robin", json={"name": "Lea Lund", "phone": None})
    assert changed.body == {**lea, "name": "Lea Lund", "phone": None}
    assert (await clinic.ask("GET", path, "robin")).body == changed.body
    assert (await search(clinic, "robin", "lund"), await search(clinic, "robin", "berg")) == (["Lea Lund"], [])
    assert (await clinic.ask("PATCH", path, "robin", json={})).body == changed.body
    for wrong in ({"name": None}, {"name": " "}, {"phone": "555"}, {"hasLogIn": True}):
        assert (await clinic.ask("PATCH", path, "robin", json=wrong)).code == "invalid_request"
    assert (await clinic.ask("PATCH", f"{P}/{clinic.id('carl')}", "robin", json={"name": "X"})).code == "forbidden"
    for nobody in ("nobody", clinic.id("ada"), clinic.id("rosa")):
        assert (await clinic.ask("PATCH", f"{P}/{nobody}", "robin", json={"name": "X"})).code == "not_found"
