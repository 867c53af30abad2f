import asyncio

import pytest

from tests.api.rest_clinic import Answer, RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"


async def book(clinic: RestClinic, who: str, key: str | None, **changed: object) -> Answer:
    body = {"doctorId": "doctor-ada", "start": opening(1).isoformat()} | changed
    headers = {} if key is None else {"Idempotency-Key": key}
    return await clinic.ask("POST", APPOINTMENTS, who, json=body, headers=headers)


def replayed(answer: Answer) -> str | None:
    return answer.headers.get("Idempotency-Replayed")


async def change(
    clinic: RestClinic, kind: str, appointment: str, key: str, who: str = "carl", **body: object
) -> Answer:
    more = {"json": body} if body else {}
    return await clinic.ask(
        "PATCH", f"{APPOINTMENTS}/{appointment}/{kind}", who, headers={"Idempotency-Key": key}, **more
    )


async def test_every_repetition_is_answered_with_what_the_command_did_then(clinic: RestClinic) -> None:
    first = await book(clinic, "carl", "book")
    which = first.body["id"]
    confirmed = await change(clinic, "confirm", which, "confirm")
    moved = await change(clinic, "reschedule", which, "move", start=opening(2).isoformat())
    again = await change(clinic, "reschedule", which, "move again", start=opening(3).isoformat())
    cancelled = await change(clinic, "cancel", which, "cancel")
    assert [each.body["version"] for each in (first, confirmed, moved, again, cancelled)] == [1, 2, 3, 4, 5]
    repetitions = [
        (first, await book(clinic, "carl", "book")),
        (confirmed, await change(clinic, "confirm", which, "confirm")),
        (moved, await change(clinic, "reschedule", which, "move", start=opening(2).isoformat())),
        (again, await change(clinic, "reschedule", which, "move again", start=opening(3).isoformat())),
        (cancelled, await change(clinic, "cancel", which, "cancel")),
    ]
    for original, repetition in repetitions:
        assert (repetition.status, repetition.body) == (original.status, original.body)
        assert (replayed(original), replayed(repetition)) == (None, "true")
    now = await clinic.ask("GET", f"{APPOINTMENTS}/{which}", "carl")
    assert (now.body["status"], now.body["version"]) == ("cancelled", 5)


async def test_a_completion_is_repeated_as_a_completion(clinic: RestClinic) -> None:
    which = await clinic.book("carl", "ada", opening(0, 1))
    first = await change(clinic, "complete", which, "k", "ada")
    again = await change(clinic, "complete", which, "k", "ada")
    assert (first.body, replayed(first)) == (again.body, None)
    assert replayed(again) == "true"


async def test_repeated_changes_of_the_hours_say_what_they_did_then(clinic: RestClinic) -> None:
    me = "/api/v1/doctors/me"
    shifts = [{"weekday": 0, "opens": 540, "closes": 600}]
    off = {"start": opening(1).isoformat(), "end": opening(2).isoformat()}

    async def hours(key: str, shifts: list[object]) -> Answer:
        body = {"shifts": shifts}
        return await clinic.ask("PUT", f"{me}/hours", "ada", json=body, headers={"Idempotency-Key": key})

    async def add(key: str) -> Answer:
        return await clinic.ask("POST", f"{me}/time-off", "ada", json=off, headers={"Idempotency-Key": key})

    async def remove(key: str) -> Answer:
        path = f"{me}/time-off/{added.body['timeOff']['id']}"
        return await clinic.ask("DELETE", path, "ada", headers={"Idempotency-Key": key})

    first, added = await hours("h", shifts), await add("o")
    removed, later = await remove("r"), await hours("h2", [])
    assert [replayed(each) for each in (first, added, removed, later)] == [None] * 4
    again = [await hours("h", shifts), await add("o"), await remove("r"), await hours("h2", [])]
    assert [replayed(each) for each in again] == ["true"] * 4
    assert [each.body for each in again] == [each.body for each in (first, added, removed, later)]
    assert again[0].body["calendar"]["shifts"] == shifts


async def test_a_repeated_key_gives_the_same_appointment_and_books_once(clinic: RestClinic) -> None:
    first, again = await book(clinic, "carl", "k 1"), await book(clinic, "carl", "k 1")
    assert first.status == again.status == 201
    assert first.body == again.body
    assert (replayed(first), replayed(again)) == (None, "true")
    assert first.headers["Location"] == again.headers["Location"]
    assert len((await clinic.ask("GET", APPOINTMENTS, "carl")).body) == 1


async def test_a_key_sent_many_times_at_once_books_once(clinic: RestClinic) -> None:
    answers = await asyncio.gather(*(book(clinic, "carl", "k") for _ in range(10)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1


async def test_without_a_key_the_second_time_is_another_booking(clinic: RestClinic) -> None:
    first = await book(clinic, "carl", None)
    again = await book(clinic, "carl", None)
    assert (first.status, again.status, again.code) == (201, 409, "slot_taken")
    assert (again.body["detail"], again.body["appointmentId"]) == ("You have this slot already.", first.body["id"])
    others = await book(clinic, "dora", None)
    assert (others.code, others.body["detail"]) == ("slot_taken", "This slot is taken.")
    assert "appointmentId" not in others.body


async def test_a_doctor_who_books_twice_for_a_patient_is_told_the_appointment(clinic: RestClinic) -> None:
    first = await book(clinic, "ada", None, patientId="patient-carl")
    again = await book(clinic, "ada", None, patientId="patient-carl")
    assert (again.code, again.body["appointmentId"]) == ("slot_taken", first.body["id"])
    assert "appointmentId" not in (await book(clinic, "ada", None, patientId="patient-dora")).body


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


async def test_a_cancellation_has_its_reason_in_the_history_and_is_repeated_only_with_it(
    clinic: RestClinic,
) -> None:
    which = await clinic.book("carl", "ada", opening(1))
    assert (await change(clinic, "cancel", which, "k", "robin", reason=" ")).code == "invalid_request"
    first = await change(clinic, "cancel", which, "k", "robin", reason=" The patient has called ")
    again = await change(clinic, "cancel", which, "k", "robin", reason="The patient has called")
    assert (first.body, replayed(again)) == (again.body, "true")
    assert (await change(clinic, "cancel", which, "k", "robin")).code == "idempotency_key_reused"
    for who in ("carl", "ada", "robin"):
        history = await clinic.ask("GET", f"{APPOINTMENTS}/{which}/history", who)
        assert (history.body[-1]["type"], history.body[-1]["reason"]) == ("cancelled", "The patient has called")
