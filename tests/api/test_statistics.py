from datetime import timedelta

import pytest

from tests.api.rest_clinic import RestClinic, opening

APPOINTMENTS = "/api/v1/appointments"
OF_ADA = f"{APPOINTMENTS}/stats/doctor/doctor-ada"


async def test_a_doctor_sees_outcomes_and_times_of_the_own_appointments(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    called_off = await clinic.book("carl", "ada", opening(1, half_hours=1))
    await clinic.book("dora", "ada", opening(7))
    await clinic.book("dora", "ben", opening(7, half_hours=1))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{called_off}/cancel", "carl")

    answer = await clinic.ask("GET", OF_ADA, "ada")

    assert answer.status == 200
    assert (answer.body["doctorId"], answer.body["zone"]) == ("doctor-ada", "Europe/Berlin")
    assert answer.body["all"] == {
        "total": 3,
        "scheduled": 2,
        "confirmed": 0,
        "cancelled": 1,
        "completed": 0,
        "noShow": 0,
        "noShowRate": None,
        "cancellationRate": 0.3333,
    }
    assert {day["weekday"]: day["tally"]["total"] for day in answer.body["byWeekday"]} == {0: 1, 1: 2} | dict.fromkeys(
        range(2, 7), 0
    )
    assert {hour["hour"]: hour["tally"]["total"] for hour in answer.body["byHour"] if hour["tally"]["total"]} == {9: 3}
    assert [(week["monday"], week["tally"]["total"]) for week in answer.body["byWeek"]] == [
        ("2026-11-23", 2),
        ("2026-11-30", 1),
    ]
    assert answer.body["leadTimes"]["medianMinutes"] == 24 * 60 + 30
    assert answer.body["leadTimes"]["groups"][-1]["underMinutes"] is None
    assert answer.body["offers"] == dict.fromkeys(("total", "open", "taken", "declined", "lapsed"), 0) | {
        "fillTimes": {"count": 0, "medianMinutes": None, "p90Minutes": None}
    }


async def test_a_doctor_sees_how_long_patients_waited(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(0, half_hours=2))
    assert (await clinic.ask("GET", OF_ADA, "ada")).body["waitingTimes"]["all"]["count"] == 0
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/check-in", "ada")
    clinic.clock.forward(timedelta(minutes=9, seconds=30))
    await clinic.ask("PATCH", f"{APPOINTMENTS}/{booked}/call-in", "ada")
    times = (await clinic.ask("GET", OF_ADA, "ada")).body["waitingTimes"]
    assert times["all"] == {"count": 1, "medianMinutes": 9, "p90Minutes": 9}
    assert [each["hour"] for each in times["byHour"] if each["waits"]["count"]] == [10]


async def test_the_range_includes_its_start_and_excludes_its_end(clinic: RestClinic) -> None:
    for day in (1, 2, 3):
        await clinic.book("carl", "ada", opening(day))
    query = {"from": opening(2).isoformat(), "to": opening(3).isoformat()}
    assert (await clinic.ask("GET", OF_ADA, "ada", params=query)).body["all"]["total"] == 1
    assert (await clinic.ask("GET", OF_ADA, "ada", params={"from": query["to"]})).body["all"]["total"] == 1
    assert (await clinic.ask("GET", OF_ADA, "ada", params={"to": query["to"]})).body["all"]["total"] == 2
    empty = await clinic.ask("GET", OF_ADA, "ada", params={"from": query["to"], "to": query["to"]})
    assert (empty.status, empty.body["all"]["total"], empty.body["byWeek"]) == (200, 0, [])


async def test_a_range_that_ends_before_it_begins_is_refused_and_both_ends_are_named(clinic: RestClinic) -> None:
    query = {"from": opening(3).isoformat(), "to": opening(2).isoformat()}
    answer = await clinic.ask("GET", OF_ADA, "ada", params=query)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [(error["pointer"], error["code"]) for error in answer.body["errors"]] == [
        ("/from", "range"),
        ("/to", "range"),
    ]
    assert answer.body["errors"][0]["detail"] == "from should not be after to"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-11-23"}, "/from"),
        ({"to": "2026-11-23T09:00:00"}, "/to"),
        ({"to": ""}, "/to"),
        ({"date": "2026-11-23"}, "/date"),
    ],
)
async def test_each_bad_parameter_is_named(clinic: RestClinic, query: dict[str, str], pointer: str) -> None:
    answer = await clinic.ask("GET", OF_ADA, "ada", params=query)
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, [pointer])
