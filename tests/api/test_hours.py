"""A doctor's own hours and time off over REST."""

from typing import Any

import pytest

from hub.ops.doctor_accounts import Disabled, disable, enable
from hub.records.memory import MemoryRecords
from hub.scheduling.schedule import Schedule
from tests.api.rest_clinic import PASSWORD, Answer, RestClinic, opening

ME = "/api/v1/doctors/me"
AFTERNOONS = [{"weekday": weekday, "opens": 13 * 60, "closes": 17 * 60} for weekday in range(5)]
DAY_OFF = {"start": opening(1).isoformat(), "end": opening(1, 16).isoformat(), "note": "Dentist"}


async def put(clinic: RestClinic, shifts: object = AFTERNOONS, who: str = "ada", key: str | None = None) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return await clinic.ask("PUT", f"{ME}/hours", who, json={"shifts": shifts}, headers=headers)


async def away(clinic: RestClinic, key: str | None = None, **changed: object) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return await clinic.ask("POST", f"{ME}/time-off", "ada", json=DAY_OFF | changed, headers=headers)


async def slots(clinic: RestClinic, date: str = "2026-11-24") -> list[tuple[str, bool]]:
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "dora", params={"date": date})
    return [(slot["start"][11:16], slot["available"]) for slot in answer.body]


async def test_new_hours_are_the_doctors_for_everybody_at_once(clinic: RestClinic) -> None:
    answer = await put(clinic)
    assert answer.status == 200
    assert answer.body["outside"] == []
    assert answer.body["calendar"] == {
        "doctorId": "doctor-ada",
        "zone": "Europe/Berlin",
        "shifts": AFTERNOONS,
        "timeOff": [],
        "disabled": False,
    }
    assert (await clinic.ask("GET", f"{ME}/hours", "ada")).body == answer.body
    assert (await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "carl")).body["shifts"] == AFTERNOONS
    assert (await clinic.ask("GET", "/api/v1/doctors", "carl")).body[0]["shifts"] == AFTERNOONS
    assert [start for start, _ in await slots(clinic)][:2] == ["12:00", "12:30"]
    assert len(await slots(clinic)) == 8
    early = {"doctorId": "doctor-ada", "start": opening(1).isoformat()}
    assert (await clinic.ask("POST", "/api/v1/appointments", "carl", json=early)).code == "outside_hours"
    await clinic.book("carl", "ada", opening(1, 8))
    assert (await clinic.ask("GET", "/api/v1/doctors/doctor-ben", "carl")).body["shifts"] != AFTERNOONS


async def test_appointments_outside_the_new_hours_are_listed_and_stay(clinic: RestClinic) -> None:
    morning, afternoon = await clinic.book("carl", "ada", opening(1)), await clinic.book("carl", "ada", opening(1, 8))
    cancelled = await clinic.book("dora", "ada", opening(2))
    await clinic.ask("PATCH", f"/api/v1/appointments/{cancelled}/cancel", "dora")
    await clinic.book("dora", "ben", opening(1))

    outside = (await put(clinic)).body["outside"]

    assert [appointment["id"] for appointment in outside] == [morning]
    assert outside[0] == (await clinic.ask("GET", f"/api/v1/appointments/{morning}", "ada")).body
    entered = await away(clinic)
    assert entered.status == 201
    assert [appointment["id"] for appointment in entered.body["outside"]] == [morning, afternoon]
    assert (await clinic.ask("PATCH", f"/api/v1/appointments/{morning}/confirm", "carl")).status == 200
    listed = await clinic.ask("GET", "/api/v1/appointments", "ada", params={"status": "scheduled,confirmed"})
    assert [appointment["id"] for appointment in listed.body] == [morning, afternoon]


async def test_time_off_that_ends_before_it_begins_is_refused_and_both_ends_are_named(clinic: RestClinic) -> None:
    answer = await away(clinic, start=DAY_OFF["end"], end=DAY_OFF["start"])
    assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [
        ("/start", "range"),
        ("/end", "range"),
    ]


async def test_white_space_around_a_note_is_removed(clinic: RestClinic) -> None:
    assert (await away(clinic, note="\tDentist \n")).body["timeOff"]["note"] == "Dentist"


async def test_time_off_is_entered_listed_and_taken_back(clinic: RestClinic) -> None:
    entered = (await away(clinic)).body["timeOff"]
    assert entered == {
        "id": entered["id"],
        "start": "2026-11-24T08:00:00Z",
        "end": "2026-11-24T16:00:00Z",
        "note": "Dentist",
    }
    earlier = (await away(clinic, start=opening(0).isoformat(), end=opening(0, 1).isoformat(), note=None)).body[
        "timeOff"
    ]
    assert (await clinic.ask("GET", f"{ME}/time-off", "ada")).body == [earlier, entered]
    assert (await clinic.ask("GET", f"{ME}/time-off", "ben")).body == []
    assert await slots(clinic) == []
    path = f"{ME}/time-off/{entered['id']}"
    assert (await clinic.ask("DELETE", path, "ben")).code == "not_found"
    assert (await clinic.ask("DELETE", path, "ada")).status == 204
    assert (await clinic.ask("DELETE", path, "ada")).code == "not_found"
    assert len(await slots(clinic)) == 16


async def test_a_note_is_for_the_doctor_alone(clinic: RestClinic) -> None:
    await away(clinic)
    for path in ("/api/v1/doctors", "/api/v1/doctors/doctor-ada"):
        assert "Dentist" not in str((await clinic.ask("GET", path, "carl")).body)


async def test_a_repeated_key_changes_once_and_is_answered_as_things_stand(clinic: RestClinic) -> None:
    first, again = await put(clinic, key="k"), await put(clinic, key="k")
    assert first.body == again.body
    entered, twice = await away(clinic, key="off"), await away(clinic, key="off")
    assert entered.body == twice.body
    assert len((await clinic.ask("GET", f"{ME}/time-off", "ada")).body) == 1
    path, headers = f"{ME}/time-off/{entered.body['timeOff']['id']}", {"Idempotency-Key": "gone"}
    assert (await clinic.ask("DELETE", path, "ada", headers=headers)).status == 204
    assert (await clinic.ask("DELETE", path, "ada", headers=headers)).status == 204
    assert await clinic.services.records.appointments.last_seq("doctor-ada") == 3


async def test_a_key_used_for_something_else_is_refused(clinic: RestClinic) -> None:
    await put(clinic, key="k")
    assert (await put(clinic, [], key="k")).code == "idempotency_key_reused"
    assert (await away(clinic, key="k")).code == "idempotency_key_reused"
    assert (await put(clinic, who="ben", key="k")).status == 200
    body = {"doctorId": "doctor-ada", "start": opening(3, 8).isoformat(), "patientId": "patient-carl"}
    answer = await clinic.ask("POST", "/api/v1/appointments", "ada", json=body, headers={"Idempotency-Key": "k"})
    assert answer.code == "idempotency_key_reused"


async def test_the_same_hours_in_another_order_are_the_same_command(clinic: RestClinic) -> None:
    await put(clinic, key="k")
    assert (await put(clinic, AFTERNOONS[::-1], key="k")).body["calendar"]["shifts"] == AFTERNOONS


@pytest.mark.parametrize(
    ("shifts", "pointer"),
    [
        ("nine to five", "/shifts"),
        ([{"weekday": 0, "opens": 540}], "/shifts/0/closes"),
        ([{"weekday": 0, "opens": 540, "closes": 540}], "/shifts/0/closes"),
        ([{"weekday": 0, "opens": 545, "closes": 600}], "/shifts/0/opens"),
        ([{"weekday": 0, "opens": 540, "closes": 1470}], "/shifts/0/closes"),
        ([*AFTERNOONS, {"weekday": 7, "opens": 540, "closes": 600}], "/shifts/5/weekday"),
        ([{"weekday": 0, "opens": "09:00", "closes": 600}], "/shifts/0/opens"),
        ([*AFTERNOONS, {"weekday": 0, "opens": 960, "closes": 1080}], "/shifts"),
        ([{"weekday": 0, "opens": 0, "closes": 30}] * 337, "/shifts"),
        ([{"weekday": 0, "opens": 0, "closes": 30, "room": 5}], "/shifts/0/room"),
    ],
)
async def test_invalid_hours_are_refused_with_the_field(clinic: RestClinic, shifts: object, pointer: str) -> None:
    answer = await put(clinic, shifts)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [field["pointer"] for field in answer.body["errors"]] == [pointer]


EVENING = "Friday 22:00-24:00 (weekday 4, minutes 1320 to 1440)"
MORNING = "Saturday 00:00-06:00 (weekday 5, minutes 0 to 360)"


@pytest.mark.parametrize(
    ("closes", "parts"),
    [
        (360, f"{EVENING} and {MORNING}"),
        ("360", f"{EVENING} and {MORNING}"),
        (1800, f"{EVENING} and {MORNING}"),
        (0, EVENING),
    ],
)
async def test_a_shift_that_passes_midnight_is_refused_with_the_shifts_to_write(
    clinic: RestClinic, closes: object, parts: str
) -> None:
    answer = await put(clinic, [{"weekday": 4, "opens": 1320, "closes": closes}])
    [error] = answer.body["errors"]
    assert error["pointer"] == "/shifts/0/closes"
    assert error["detail"].endswith(f"written as a shift for each day: {parts}")


async def test_hours_as_they_were_read_can_be_put_back_though_the_record_has_overlapping_shifts(
    clinic: RestClinic,
) -> None:
    """The command line once accepted overlapping shifts."""
    ada = await clinic.services.records.users.by_id("doctor-ada")
    assert ada
    assert ada.schedule
    overlapping = [(6, 600, 720), (6, 540, 690), (6, 720, 780), (0, 540, 600), (0, 540, 660)]
    shifts = [{"weekday": weekday, "opens": opens, "closes": closes} for weekday, opens, closes in overlapping]
    stored = ada.model_copy(update={"schedule": Schedule(id=ada.id, zone=ada.schedule.zone, shifts=shifts)})
    assert isinstance(clinic.services.records, MemoryRecords)
    clinic.services.records.users._stored[ada.id] = stored
    read = (await clinic.ask("GET", f"{ME}/hours", "ada")).body["calendar"]["shifts"]
    assert [(each["weekday"], each["opens"], each["closes"]) for each in read] == [
        (0, 540, 660),
        (6, 540, 720),
        (6, 720, 780),
    ]
    answer = await put(clinic, read)
    assert (answer.status, answer.body["calendar"]["shifts"]) == (200, read)


async def test_time_off_as_it_was_read_can_be_entered_again(clinic: RestClinic) -> None:
    for note in ("Dentist", None):
        entered = (await away(clinic, note=note)).body["timeOff"]
        again = {name: value for name, value in entered.items() if name != "id"}
        assert (await clinic.ask("POST", f"{ME}/time-off", "ada", json=again)).status == 201


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"end": DAY_OFF["start"]}, "invalid_request", "/start"),
        ({"end": DAY_OFF["start"]}, "invalid_request", "/end"),
        ({"start": "2026-11-24T08:00:00"}, "invalid_request", "/start"),
        ({"start": None}, "invalid_request", "/start"),
        ({"note": "x" * 201}, "invalid_request", "/note"),
        ({"room": "5"}, "invalid_request", "/room"),
        ({"start": opening(1).replace(minute=10).isoformat()}, "off_grid", "start"),
        ({"end": opening(1, 16).replace(second=1).isoformat()}, "off_grid", "end"),
        ({"start": opening(-1).isoformat(), "end": opening(0).isoformat()}, "in_the_past", "end"),
    ],
)
async def test_invalid_time_off_is_refused_with_the_field(
    clinic: RestClinic, changed: dict[str, object], code: str, where: str
) -> None:
    answer = await away(clinic, **changed)
    assert (answer.status, answer.code) == (422, code)
    said: Any = [field["pointer"] for field in answer.body.get("errors", ())] or answer.body["detail"]
    assert where in said


async def test_when_no_actor_answers_the_same_may_be_sent_again(clinic: RestClinic) -> None:
    clinic.commands.silent = True
    assert (await put(clinic, key="k")).code == "try_again"
    clinic.commands.silent = False
    assert (await put(clinic, key="k")).status == 200


async def log_in(clinic: RestClinic) -> Answer:
    body = {"email": "ada@clinic.test", "password": PASSWORD}
    return await clinic.ask("POST", "/api/v1/auth/doctor/login", json=body)


async def test_a_disabled_doctor_is_logged_out_and_accepts_no_appointments(clinic: RestClinic) -> None:
    kept = await clinic.book("carl", "ada", opening(1))
    here, there = (await log_in(clinic)).body, (await log_in(clinic)).body

    disabled = await disable(clinic.services.records, "doctor-ada", clinic.clock)

    assert isinstance(disabled, Disabled)
    assert (disabled.ended_sessions, [appointment.id for appointment in disabled.appointments]) == (2, [kept])
    await clinic.services.revocations.compare()  # each process does so every two seconds
    for tokens in (here, there):
        refreshed = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": tokens["refreshToken"]})
        assert refreshed.code == "invalid_token"
        assert (await clinic.ask("GET", "/api/v1/users/me", token=tokens["accessToken"])).code == "invalid_token"
    assert (await log_in(clinic)).code == "forbidden"
    wanted = {"doctorId": "doctor-ada", "start": opening(1, 1).isoformat()}
    assert (await clinic.ask("POST", "/api/v1/appointments", "dora", json=wanted)).code == "doctor_unavailable"
    assert (await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "carl")).body["disabled"] is True
    assert not any(available for _, available in await slots(clinic))
    assert (await clinic.ask("PATCH", f"/api/v1/appointments/{kept}/confirm", "carl")).status == 200

    assert await enable(clinic.services.records, "doctor-ada", clinic.clock) is None
    assert (await log_in(clinic)).status == 200
    assert (await clinic.ask("POST", "/api/v1/appointments", "dora", json=wanted)).status == 201


async def test_a_log_in_that_began_before_ends_at_its_first_refresh(clinic: RestClinic) -> None:
    await disable(clinic.services.records, "doctor-ada", clinic.clock)
    late = await clinic.services.sign_in.start(clinic.people["ada"])
    assert late
    answer = await clinic.ask("POST", "/api/v1/auth/refresh", json={"refreshToken": late.refresh_token})
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert (await clinic.ask("GET", "/api/v1/users/me", token=late.access_token)).code == "invalid_token"


async def test_a_wrong_password_does_not_tell_who_is_disabled(clinic: RestClinic) -> None:
    await disable(clinic.services.records, "doctor-ada", clinic.clock)
    body = {"email": "ada@clinic.test", "password": "Wrong-horse-7"}
    assert (await clinic.ask("POST", "/api/v1/auth/doctor/login", json=body)).code == "invalid_credentials"
