import asyncio

import pytest

from tests.api.rest_clinic import Answer, RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"


async def book(clinic: RestClinic, who: str, key: str | None, **changed: object) -> Answer:
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat()} | changed
    headers = {} if key is None else {"Idempotency-Key": key}
    return await clinic.ask("POST", APPOINTMENTS, who, json=body, headers=headers)


async def test_a_repeated_key_gives_the_same_appointment_and_books_once(clinic: RestClinic) -> None:
    first, again = await book(clinic, "carl", "k 1"), await book(clinic, "carl", "k 1")
    assert first.status == again.status == 201
    assert first.body == again.body
    assert len((await clinic.ask("GET", APPOINTMENTS, "carl")).body) == 1


async def test_a_key_sent_many_times_at_once_books_once(clinic: RestClinic) -> None:
    answers = await asyncio.gather(*(book(clinic, "carl", "k") for _ in range(10)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1


async def test_without_a_key_the_second_time_is_another_booking(clinic: RestClinic) -> None:
    assert (await book(clinic, "carl", None)).status == 201
    assert (await book(clinic, "carl", None)).code == "slot_taken"


@pytest.mark.parametrize("changed", [{"start": opening(2).isoformat()}, {"reason": "another"}])
async def test_a_key_used_for_something_else_is_refused(clinic: RestClinic, changed: dict[str, object]) -> None:
    await book(clinic, "carl", "k")
    answer = await book(clinic, "carl", "k", **changed)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


async def test_the_same_key_of_two_people_is_two_keys(clinic: RestClinic) -> None:
    await book(clinic, "carl", "k")
    assert (await book(clinic, "dora", "k", start=opening(2).isoformat())).status == 201


async def test_a_repeated_change_is_answered_as_the_first_one_was(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    path, headers = f"{APPOINTMENTS}/{booked}/cancel", {"Idempotency-Key": "c"}
    first = await clinic.ask("PATCH", path, "carl", headers=headers)
    again = await clinic.ask("PATCH", path, "carl", headers=headers)
    assert first.status == again.status == 200
    assert first.body == again.body
    assert first.body["version"] == 2


async def test_a_key_of_a_booking_does_not_serve_for_a_change(clinic: RestClinic) -> None:
    booked = (await book(clinic, "carl", "k")).body["id"]
    answer = await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/confirm", "carl", headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 129, "schlüssel", "a\tb"])
async def test_an_invalid_key_is_named(clinic: RestClinic, key: str) -> None:
    answer = await book(clinic, "carl", key)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["errors"][0]["pointer"] == "/Idempotency-Key"
    assert clinic.commands.asked == []
