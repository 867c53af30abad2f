"""Moving and cancelling a doctor's day: one request, one command an appointment, repeated without harm."""

import asyncio
from typing import Any

import pytest

from api.commands.day_changes import MoveDay
from hub.accounts.identity import Identity
from hub.scheduling.values import Role
from tests.api.rest_clinic import Answer, RestClinic, opening
from tests.records_away import away

DAY = opening(1).date().isoformat()
CARL = {"id": "patient-carl", "name": "Carl"}


async def change(clinic: RestClinic, what: str, body: dict[str, Any], who: str = "robin", key: str = "k") -> Answer:
    """Send a request about Ada's Tuesday."""
    path = f"/api/v1/doctors/{clinic.id('ada')}/{what}-day"
    return await clinic.ask("POST", path, who, json={"date": DAY, **body}, headers={"Idempotency-Key": key})


async def booked(clinic: RestClinic, *half_hours: int) -> list[str]:
    """Book slots of Ada's Tuesday for Carl."""
    patient = {"patientId": clinic.id("carl")}
    return [await clinic.book("robin", "ada", opening(1, number), **patient) for number in half_hours]


async def history_of(clinic: RestClinic, id_: str) -> list[dict[str, Any]]:
    return list((await clinic.ask("GET", f"/api/v1/appointments/{id_}/history", "robin")).body)


def kinds(answer: Answer) -> list[str]:
    return [line["type"] for line in answer.body]


async def starts(clinic: RestClinic, ids: list[str]) -> list[Any]:
    """Return the half hour of Tuesday at which each appointment starts now; None for one that is cancelled."""
    found = [(await clinic.ask("GET", f"/api/v1/appointments/{id_}", "robin")).body for id_ in ids]
    half_hours = {opening(1, number).isoformat().replace("+00:00", "Z"): number for number in range(20)}
    return [None if each["status"] == "cancelled" else half_hours.get(each["start"], each["start"]) for each in found]


@pytest.mark.parametrize("who", ["robin", "ada"])
async def test_a_late_doctors_day_moves_as_a_whole_the_last_appointment_first(clinic: RestClinic, who: str) -> None:
    ids = await booked(clinic, 0, 1, 2, 5)
    answer = await change(clinic, "move", {"by": 30}, who)
    assert answer.status == 200
    assert kinds(answer) == ["begun", *["changed"] * 4, "finished"]
    assert answer.body[0]["total"] == 4
    assert [line["appointment"]["id"] for line in answer.body[1:-1]] == ids[::-1]
    assert {str(line["appointment"]["patient"]) for line in answer.body[1:-1]} == {str(CARL)}
    assert answer.body[-1] | {"position": None} == {
        "type": "finished",
        "changed": 4,
        "notChanged": [],
        "position": None,
    }
    assert answer.body[-1]["position"] == {"doctor-ada": 8}
    assert await starts(clinic, ids) == [1, 2, 3, 6]
    assert [each["type"] for each in await history_of(clinic, ids[0])] == ["booked", "rescheduled"]


async def test_an_earlier_time_moves_the_first_appointment_first(clinic: RestClinic) -> None:
    ids = await booked(clinic, 2, 3, 4)
    assert kinds(await change(clinic, "move", {"by": -60})) == ["begun", *["changed"] * 3, "finished"]
    assert await starts(clinic, ids) == [0, 1, 2]


async def test_a_day_moves_to_the_same_times_of_another_day(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 3)
    await clinic.book("dora", "ada", opening(2, 3))
    answer = await change(clinic, "move", {"to": opening(2).date().isoformat()})
    assert kinds(answer) == ["begun", "changed", "not_changed", "finished"]
    [left] = answer.body[-1]["notChanged"]
    assert (left["appointmentId"], left["patientId"], left["code"]) == (ids[1], "patient-carl", "slot_taken")
    assert left["patient"] == CARL
    assert await starts(clinic, ids) == [opening(2).isoformat().replace("+00:00", "Z"), 3]


async def test_what_cannot_move_is_listed_with_the_reason_and_stays(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 14, 15)  # the last one would start when the doctor has gone
    answer = await change(clinic, "move", {"by": 30})
    assert [(each["appointmentId"], each["code"]) for each in answer.body[-1]["notChanged"]] == [
        (ids[2], "outside_hours"),
        (ids[1], "slot_taken"),
    ]
    assert await starts(clinic, ids) == [1, 14, 15]


async def test_a_cancelled_day_says_why_in_each_history(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 1)
    answer = await change(clinic, "cancel", {"reason": " The doctor is ill "})
    assert kinds(answer) == ["begun", "changed", "changed", "finished"]
    assert await starts(clinic, ids) == [None, None]
    last = (await history_of(clinic, ids[0]))[-1]
    assert (last["type"], last["reason"], last["by"]["id"]) == (
        "cancelled",
        "The doctor is ill",
        "receptionist-robin",
    )


async def test_a_request_that_died_half_way_goes_on_when_it_is_repeated(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 1, 2, 3, 4)
    robin = Identity(user_id="receptionist-robin", role=Role.RECEPTIONIST, session_id="s", expires_at=opening(9))
    request = MoveDay.model_validate_json(f'{{"date": "{DAY}", "by": 30}}')
    lines = await clinic.services.day_changes.move(robin, "doctor-ada", request, "k")
    for _ in range(3):
        await anext(lines)
    await lines.aclose()  # type: ignore[attr-defined]  # the process dies: nothing is left but the record
    assert await starts(clinic, ids) == [0, 1, 2, 4, 5]

    answer = await change(clinic, "move", {"by": 30})

    assert [line.get("replayed") for line in answer.body[1:-1]] == [True, True, False, False, False]
    assert answer.body[-1]["changed"] == 5
    assert await starts(clinic, ids) == [1, 2, 3, 4, 5]
    for id_ in ids:
        assert [each["type"] for each in await history_of(clinic, id_)] == ["booked", "rescheduled"]


async def test_a_repetition_leaves_alone_what_others_have_booked_and_moved_since(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 15)
    first = await change(clinic, "move", {"by": 30})
    assert [each["code"] for each in first.body[-1]["notChanged"]] == ["outside_hours"]
    [newer] = await booked(clinic, 0)
    moved = {"start": opening(1, 8).isoformat()}
    assert (await clinic.ask("PATCH", f"/api/v1/appointments/{ids[1]}/reschedule", "robin", json=moved)).status == 200

    again = await change(clinic, "move", {"by": 30})

    assert again.body[-1]["changed"] == 1
    assert [each["code"] for each in again.body[-1]["notChanged"]] == ["wrong_status"]
    assert await starts(clinic, [*ids, newer]) == [1, 8, 0]


async def test_two_requests_with_one_key_at_once_do_it_once(clinic: RestClinic) -> None:
    ids = await booked(clinic, 0, 1, 2)
    both = await asyncio.gather(*(change(clinic, "move", {"by": 60}) for _ in range(2)))
    assert [answer.body[-1]["changed"] for answer in both] == [3, 3]
    assert await starts(clinic, ids) == [2, 3, 4]
    for id_ in ids:
        assert len(await history_of(clinic, id_)) == 2


async def test_a_key_is_for_one_request_of_one_person(clinic: RestClinic) -> None:
    await booked(clinic, 0)
    assert (await change(clinic, "move", {"by": 30})).status == 200
    assert (await change(clinic, "move", {"by": 60})).code == "idempotency_key_reused"
    assert (await change(clinic, "cancel", {"reason": "ill"})).code == "idempotency_key_reused"
    assert kinds(await change(clinic, "move", {"by": 60}, who="rosa")) == ["begun", "changed", "finished"]


async def test_an_actor_that_does_not_answer_interrupts_the_request_which_is_then_repeated(
    clinic: RestClinic,
) -> None:
    ids = await booked(clinic, 0, 1)
    clinic.commands.silent = True
    answer = await change(clinic, "move", {"by": 30})
    assert (kinds(answer), answer.body[-1]["code"]) == (["begun", "interrupted"], "try_again")
    clinic.commands.silent = False
    assert kinds(await change(clinic, "move", {"by": 30})) == ["begun", "changed", "changed", "finished"]
    assert await starts(clinic, ids) == [1, 2]
    with away(clinic.services.records):
        gone = await change(clinic, "move", {"by": 30}, key="another")
    assert (gone.status, gone.code) == (503, "try_again")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("move", {}),
        ("move", {"by": 30, "to": "2026-11-25"}),
        ("move", {"by": 45}),
        ("move", {"by": 0}),
        ("move", {"by": 750}),
        ("move", {"by": "30"}),
        ("move", {"to": DAY}),
        ("move", {"to": "2026-02-30"}),
        ("cancel", {}),
        ("cancel", {"reason": " "}),
        ("cancel", {"reason": "x" * 501}),
    ],
)
async def test_a_request_that_makes_no_sense_changes_nothing(
    clinic: RestClinic, what: str, body: dict[str, Any]
) -> None:
    await booked(clinic, 0)
    assert (await change(clinic, what, body)).code == "invalid_request"
    assert await clinic.services.records.appointments.last_seq("doctor-ada") == 1


async def test_a_request_needs_a_key_and_a_doctor(clinic: RestClinic) -> None:
    path, body = "/api/v1/doctors/{}/move-day", {"date": DAY, "by": 30}
    without = await clinic.ask("POST", path.format("doctor-ada"), "robin", json=body)
    assert without.code == "invalid_request"
    keyed = {"Idempotency-Key": "k"}
    nobody = await clinic.ask("POST", path.format("patient-carl"), "robin", json=body, headers=keyed)
    assert nobody.code == "not_found"
    assert kinds(await change(clinic, "move", {"by": 30})) == ["begun", "finished"]
