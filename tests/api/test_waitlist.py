"""The waitlist over REST: joining, the lines, offers and their answers, for every role."""

from typing import Any

import pytest

from hub.ids import new_id
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_commands import TendWaitlist
from tests.api.rest_clinic import RestClinic, opening

W, A = "/api/v1/waitlist", "/api/v1/appointments"
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
TUESDAY = {"from": "2026-11-24", "to": "2026-11-24"}


async def waits(clinic: RestClinic, who: str, doctor: str = "ada", status: int = 201, **more: Any) -> Any:
    body = {"doctorId": clinic.id(doctor), **TUESDAY, **more}
    answer = await clinic.ask("POST", W, who, json=body)
    assert answer.status == status, answer.body
    return answer.body


async def tended(clinic: RestClinic, doctor: str = "ada") -> None:
    """Do what the agents do when something may be offered."""
    for _ in range(5):
        now = clinic.clock()
        await clinic.commands.ask(TendWaitlist(id=new_id(), doctor_id=clinic.id(doctor), by=HUB, at=now))


async def offered(clinic: RestClinic, who: str) -> list[Any]:
    answer = await clinic.ask("GET", f"{A}?status=offered", who)
    assert isinstance(answer.body, list)
    return answer.body


async def test_a_patient_waits_is_offered_a_slot_and_takes_it(clinic: RestClinic) -> None:
    entry = await waits(clinic, "carl", weekdays=[1], between={"opens": 600, "closes": 660})
    assert entry["place"] == 1
    assert entry["status"] == "waiting"
    assert (entry["from"], entry["to"], entry["weekdays"]) == ("2026-11-24", "2026-11-24", [1])
    assert entry["doctor"] == {"id": "doctor-ada", "name": "Dr. Ada"}
    await tended(clinic)
    [offer] = await offered(clinic, "carl")
    assert offer["start"] == "2026-11-24T09:00:00Z"
    assert offer["offeredUntil"] == "2026-11-23T08:30:00Z"
    slots = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots?date=2026-11-24", "dora")
    assert [each["available"] for each in slots.body if each["start"] == offer["start"]] == [False]
    assert (await clinic.ask("PATCH", f"{A}/{offer['id']}/accept", "dora")).code == "not_found"
    taken = await clinic.ask("PATCH", f"{A}/{offer['id']}/accept", "carl", headers={"Idempotency-Key": "yes"})
    assert (taken.status, taken.body["status"], taken.body["offeredUntil"]) == (200, "scheduled", None)
    again = await clinic.ask("PATCH", f"{A}/{offer['id']}/accept", "carl", headers={"Idempotency-Key": "yes"})
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    await tended(clinic)
    assert (await clinic.ask("GET", W, "carl")).body == []
    history = await clinic.ask("GET", f"{A}/{offer['id']}/history", "carl")
    assert [each["type"] for each in history.body] == ["offered", "accepted"]


async def test_who_passes_keeps_the_place_and_the_next_one_is_offered_it(clinic: RestClinic) -> None:
    at_ten = {"opens": 600, "closes": 630}
    await waits(clinic, "carl", between=at_ten)
    await waits(clinic, "dora", between=at_ten)
    await tended(clinic)
    [offer] = await offered(clinic, "carl")
    passed = await clinic.ask("PATCH", f"{A}/{offer['id']}/decline", "carl")
    assert (passed.status, passed.body["status"]) == (200, "lapsed")
    await tended(clinic)
    assert await offered(clinic, "carl") == []
    assert [each["start"] for each in await offered(clinic, "dora")] == [offer["start"]]
    assert [each["place"] for each in (await clinic.ask("GET", W, "carl")).body] == [1]
    assert (await clinic.ask("PATCH", f"{A}/{offer['id']}/accept", "carl")).code == "wrong_status"


async def test_each_role_sees_what_it_may(clinic: RestClinic) -> None:
    mine = await waits(clinic, "carl")
    await waits(clinic, "dora")
    await waits(clinic, "dora", "ben")
    assert [each["id"] for each in (await clinic.ask("GET", W, "carl")).body] == [mine["id"]]
    line = (await clinic.ask("GET", W, "ada")).body
    assert [(each["patient"]["name"], each["place"]) for each in line] == [("Carl", 1), ("Dora", 2)]
    assert (await clinic.ask("GET", f"{W}?doctorId=doctor-ben", "ada")).code == "forbidden"
    assert len((await clinic.ask("GET", W, "robin")).body) == 3
    assert len((await clinic.ask("GET", f"{W}?doctorId=doctor-ben", "robin")).body) == 1
    assert (await clinic.ask("GET", f"{W}?doctorId=doctor-ben", "carl")).body == []


async def test_leaving(clinic: RestClinic) -> None:
    mine = await waits(clinic, "carl")
    assert (await clinic.ask("DELETE", f"{W}/{mine['id']}", "dora")).code == "not_found"
    assert (await clinic.ask("DELETE", f"{W}/{mine['id']}", "ben")).code == "not_found"
    left = await clinic.ask("DELETE", f"{W}/{mine['id']}", "carl", headers={"Idempotency-Key": "bye"})
    assert (left.status, left.body["status"], left.body["place"]) == (200, "left", None)
    repeated = await clinic.ask("DELETE", f"{W}/{mine['id']}", "carl", headers={"Idempotency-Key": "bye"})
    assert (repeated.status, repeated.headers["Idempotency-Replayed"]) == (200, "true")
    assert (await clinic.ask("DELETE", f"{W}/{mine['id']}", "carl")).code == "wrong_status"
    his = await waits(clinic, "carl")
    assert (await clinic.ask("DELETE", f"{W}/{his['id']}", "robin")).body["status"] == "left"


async def test_one_waits_once_for_a_doctor_and_a_repetition_is_answered_alike(clinic: RestClinic) -> None:
    body = {"doctorId": "doctor-ada", **TUESDAY}
    first = await clinic.ask("POST", W, "carl", json=body, headers={"Idempotency-Key": "one"})
    again = await clinic.ask("POST", W, "carl", json=body, headers={"Idempotency-Key": "one"})
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await clinic.ask("POST", W, "carl", json=body)).code == "already_waiting"
    other = {**body, "to": "2026-11-25"}
    assert (await clinic.ask("POST", W, "carl", json=other, headers={"Idempotency-Key": "one"})).code == (
        "idempotency_key_reused"
    )


@pytest.mark.parametrize(
    ("who", "body", "code"),
    [
        ("carl", {"doctorId": "nobody", **TUESDAY}, "not_found"),
        ("carl", {"doctorId": "doctor-ada", "patientId": "patient-dora", **TUESDAY}, "forbidden"),
        ("robin", {"doctorId": "doctor-ada", **TUESDAY}, "invalid_request"),
        ("ada", {"doctorId": "doctor-ben", "patientId": "patient-dora", **TUESDAY}, "forbidden"),
        ("carl", {"doctorId": "doctor-ada", "from": "2026-11-20", "to": "2026-11-22"}, "in_the_past"),
        ("carl", {"doctorId": "doctor-ada", "from": "2028-11-20", "to": "2028-11-22"}, "too_far_ahead"),
        ("carl", {"doctorId": "doctor-ada", "from": "2026-11-25", "to": "2026-11-24"}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", "from": "2026-11-25", "to": "2027-12-24"}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", **TUESDAY, "weekdays": [7]}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", **TUESDAY, "weekdays": []}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", **TUESDAY, "between": {"opens": 610, "closes": 660}}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", **TUESDAY, "between": {"opens": 660, "closes": 600}}, "invalid_request"),
        ("carl", {"doctorId": "doctor-ada", "from": 1, "to": "2026-11-24"}, "invalid_request"),
    ],
)
async def test_what_is_refused(clinic: RestClinic, who: str, body: dict[str, Any], code: str) -> None:
    assert (await clinic.ask("POST", W, who, json=body)).code == code


async def test_staff_let_somebody_wait_offer_out_of_turn_and_book_by_phone(clinic: RestClinic) -> None:
    await waits(clinic, "carl", between={"opens": 600, "closes": 630})
    entry = await waits(clinic, "robin", patientId="patient-dora")
    start = opening(1, 2).isoformat()
    path = f"{W}/{entry['id']}/offer"
    assert (await clinic.ask("POST", path, "dora", json={"start": start})).code == "forbidden"
    assert (await clinic.ask("POST", path, "ben", json={"start": start})).code == "not_found"
    offer = await clinic.ask("POST", path, "robin", json={"start": start}, headers={"Idempotency-Key": "o"})
    assert (offer.status, offer.body["status"], offer.body["patient"]["name"]) == (201, "offered", "Dora")
    assert (await clinic.ask("POST", path, "robin", json={"start": opening(1).isoformat()})).code == "offer_open"
    booked = await clinic.ask("PATCH", f"{A}/{offer.body['id']}/accept", "robin")
    assert booked.body["status"] == "scheduled"
    history = (await clinic.ask("GET", f"{A}/{offer.body['id']}/history", "dora")).body
    assert [each["by"]["role"] for each in history] == ["receptionist", "receptionist"]


async def test_an_entry_is_no_appointment(clinic: RestClinic) -> None:
    entry = await waits(clinic, "carl")
    assert (await clinic.ask("GET", f"{A}/{entry['id']}", "carl")).code == "not_found"
    assert (await clinic.ask("PATCH", f"{A}/{entry['id']}/cancel", "carl")).code == "not_found"


async def test_a_joined_patient_keeps_the_place(clinic: RestClinic) -> None:
    lea = (await clinic.ask("POST", "/api/v1/patients", "robin", json={"name": "Lea"})).body["id"]
    entry = await waits(clinic, "robin", patientId=lea)
    await waits(clinic, "dora")
    joined = await clinic.ask("POST", f"/api/v1/patients/{lea}/join", "robin", json={"into": "patient-carl"})
    assert joined.status == 200
    [mine] = (await clinic.ask("GET", W, "carl")).body
    assert (mine["id"], mine["place"]) == (entry["id"], 1)
