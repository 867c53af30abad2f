"""Joining a patient without a log-in with an account: the appointments follow, once, whatever happens half-way."""

import asyncio
from typing import Any

import pytest

from hub.accounts.account import JoinedInto
from hub.bus.messages import Reply
from hub.bus.ports import NoAnswer
from hub.client.clinic import clinic_at
from hub.client.member import Member
from hub.clock import system_clock
from hub.scheduling.commands import Command, JoinPatient
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, opening

A, P = "/api/v1/appointments", "/api/v1/patients"


async def lea(clinic: RestClinic) -> str:
    """Register Lea, who cannot log in; return her id."""
    return str((await clinic.ask("POST", P, "robin", json={"name": "Lea Berg", "phone": "+12025550199"})).body["id"])


async def joined(
    clinic: RestClinic, patient: str, who: str = "robin", into: str = "patient-carl", **more: Any
) -> Answer:
    return await clinic.ask("POST", f"{P}/{patient}/join", who, json={"into": into}, **more)


async def ids(clinic: RestClinic, who: str, **query: str) -> set[str]:
    return {each["id"] for each in (await clinic.ask("GET", A, who, params=query)).body}


async def test_the_appointments_follow_and_the_history_says_who_did_it(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    booked = [
        await clinic.book("robin", "ada", opening(1), patientId=patient),
        await clinic.book("robin", "ben", opening(1, 2), patientId=patient),
        await clinic.book("robin", "ada", opening(1, 3), patientId=patient),
    ]
    await clinic.ask("PATCH", f"{A}/{booked[2]}/cancel", "robin")
    own = await clinic.book("carl", "ben", opening(2))
    assert await ids(clinic, "robin", patientId=patient) == set(booked)
    assert await ids(clinic, "carl") == {own}

    answer = await joined(clinic, patient)

    assert (answer.status, answer.body["moved"], answer.body["conflicts"]) == (200, 3, [])
    assert answer.body["patient"]["id"] == "patient-carl"
    assert answer.headers["Position"] == "doctor-ada=5, doctor-ben=3"
    assert await ids(clinic, "carl") == {own, *booked}
    assert await ids(clinic, "robin", patientId=patient) == set()
    shown = (await clinic.ask("GET", f"{A}/{booked[0]}", "ada")).body
    assert shown["patient"] == {"id": "patient-carl", "name": "Carl"}
    assert shown["status"] == "scheduled"
    last = (await clinic.ask("GET", f"{A}/{booked[0]}/history", "ada")).body[-1]
    assert (last["type"], last["by"]["id"]) == ("patient_joined", "receptionist-robin")
    assert (await clinic.ask("PATCH", f"{A}/{booked[0]}/confirm", "carl")).status == 200
    assert (await joined(clinic, patient)).body["moved"] == 0


async def test_two_appointments_at_one_time_are_a_conflict_that_can_be_settled(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    hers = await clinic.book("robin", "ada", opening(1), patientId=patient)
    other = await clinic.book("robin", "ada", opening(1, 2), patientId=patient)
    his = await clinic.book("carl", "ben", opening(1))
    answer = await joined(clinic, patient)
    [conflict] = answer.body["conflicts"]
    assert (answer.body["moved"], conflict["appointmentId"], conflict["code"]) == (1, hers, "patient_busy")
    assert await ids(clinic, "carl") == {his, other}
    assert await ids(clinic, "robin", patientId=patient) == {hers}

    assert (await clinic.ask("PATCH", f"{A}/{his}/cancel", "carl")).status == 200
    again = await joined(clinic, patient, who="rosa")

    assert (again.body["moved"], again.body["conflicts"]) == (1, [])
    assert await ids(clinic, "carl") == {his, other, hers}
    last = (await clinic.ask("GET", f"{A}/{hers}/history", "ada")).body[-1]
    assert last["by"]["id"] == "receptionist-robin", "who has joined them"


async def test_from_the_join_on_the_account_is_booked_and_found(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    keyed = {"headers": {"Idempotency-Key": "k"}}
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat(), "patientId": patient}
    before = await clinic.ask("POST", A, "robin", json=body, **keyed)
    await joined(clinic, patient)
    after = await clinic.book("robin", "ada", opening(1, 1), patientId=patient)
    assert await ids(clinic, "carl") == {before.body["id"], after}
    asked = len(clinic.commands.asked)
    again = await clinic.ask("POST", A, "robin", json=body, **keyed)
    # Asked for the first patient at once: a worker would answer a copy of a refused command with the same refusal.
    assert [each.patient_id for each in clinic.commands.asked[asked:] if each.kind == "book"] == [patient]
    assert (again.status, again.body["id"]) == (201, before.body["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    body["start"] = opening(1, 2).isoformat()
    later = [await clinic.ask("POST", A, "robin", json=body, headers={"Idempotency-Key": "l"}) for _ in range(2)]
    assert [each.status for each in later] == [201, 201]
    assert later[1].body["id"] == later[0].body["id"] in await ids(clinic, "carl")
    found = await clinic.ask("GET", P, "robin", params={"q": "lea"})
    assert found.body == []
    assert (await clinic.ask("GET", f"{P}/{patient}", "robin")).body["joinedInto"] == "patient-carl"
    assert (await clinic.ask("PATCH", f"{P}/{patient}", "robin", json={"name": "X"})).code == "already_joined"


async def test_what_is_not_a_patient_without_a_log_in_and_one_with_is_refused(clinic: RestClinic) -> None:
    patient, other = await lea(clinic), await lea(clinic)
    assert (await joined(clinic, "nobody")).code == "not_found"
    assert (await joined(clinic, "doctor-ada")).code == "not_found"
    assert (await joined(clinic, "patient-dora")).code == "forbidden"
    for into in ("nobody", "doctor-ada", "receptionist-rosa", other, patient):
        refused = await joined(clinic, patient, into=into)
        assert (refused.code, refused.body["errors"][0]["pointer"]) == ("invalid_request", "/into")
    assert (await clinic.ask("GET", f"{P}/{patient}", "robin")).body["joinedInto"] is None
    assert (await joined(clinic, patient)).status == 200
    assert (await joined(clinic, patient, into="patient-dora")).code == "already_joined"


async def test_a_join_that_died_half_way_goes_on_under_any_key_and_by_anybody(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    booked = [await clinic.book("robin", "ada", opening(1, number), patientId=patient) for number in range(4)]
    real = clinic.commands.ask
    sent = 0

    async def dies(command: Command) -> Reply:
        nonlocal sent
        sent += isinstance(command, JoinPatient)
        if sent == 3:
            await real(command)  # applied, and the process dies before it knows
        if sent >= 3:
            raise NoAnswer("gone")
        return await real(command)

    clinic.commands.ask = dies  # type: ignore[method-assign]
    assert (await joined(clinic, patient)).code == "try_again"
    clinic.commands.ask = real  # type: ignore[method-assign]
    assert await ids(clinic, "carl") == set(booked[:3])
    assert (await joined(clinic, patient, who="rosa", headers={"Idempotency-Key": "other"})).body["moved"] == 1
    assert await ids(clinic, "carl") == set(booked)
    for id_ in booked:
        history = (await clinic.ask("GET", f"{A}/{id_}/history", "ada")).body
        assert [each["type"] for each in history] == ["booked", "patient_joined"]
        assert history[-1]["by"]["id"] == "receptionist-robin"


async def test_a_booking_that_was_under_way_is_found_later_and_nothing_is_done_twice(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    first = await clinic.book("robin", "ada", opening(1), patientId=patient)
    answers = await asyncio.gather(*(joined(clinic, patient) for _ in range(3)))
    assert sum(answer.body["moved"] for answer in answers) >= 1
    users = clinic.services.records.users
    account = await users.by_id(patient)
    assert account is not None
    late_command = clinic.commands.asked[0].model_copy(update={"id": "late", "start": opening(1, 5)})
    assert (await clinic.commands.ask(late_command)).notices, "the booking for the first account is written"
    assert await ids(clinic, "carl") == {first}
    await clinic.services.joins.look_after()
    assert await ids(clinic, "carl") == {first, "late"}
    history = (await clinic.ask("GET", f"{A}/{first}/history", "ada")).body
    assert [each["type"] for each in history] == ["booked", "patient_joined"]


async def test_a_conflict_is_tried_once_by_the_hub_itself(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    await clinic.book("robin", "ada", opening(1), patientId=patient)
    await clinic.book("carl", "ben", opening(1))
    assert len((await joined(clinic, patient)).body["conflicts"]) == 1
    for _ in range(3):
        await clinic.services.joins.look_after()
    assert sum(isinstance(command, JoinPatient) for command in clinic.commands.asked) == 2


async def test_a_crash_after_the_mark_is_made_up_for_without_anybody(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    booked = await clinic.book("robin", "ada", opening(1), patientId=patient)
    mark = JoinedInto(account_id="patient-carl", by="receptionist-rosa", key="k", at=clinic.clock())
    await clinic.services.records.users.join(patient, mark)
    await clinic.services.joins.look_after()
    assert await ids(clinic, "carl") == {booked}


async def test_the_python_client_joins(clinic: RestClinic) -> None:
    patient = await lea(clinic)
    booked = await clinic.book("robin", "ada", opening(1), patientId=patient)
    await clinic.book("carl", "ben", opening(1))
    async with clinic_at(str(clinic.client.make_url("")), system_clock) as hub:
        desk = await hub.log_in("receptionist", "robin@clinic.test", PASSWORD)
        assert isinstance(desk, Member)
        answer = await desk.join_patient(patient, "patient-carl")
        assert (answer.patient.name, answer.moved) == ("Carl", 0)
        assert [(each.appointment_id, each.code) for each in answer.conflicts] == [(booked, "patient_busy")]
        assert (await desk.patient(patient)).joined_into == "patient-carl"


@pytest.mark.parametrize("who", ["carl", "ada"])
async def test_only_the_desk_joins(clinic: RestClinic, who: str) -> None:
    assert (await joined(clinic, await lea(clinic), who=who)).code == "forbidden"
