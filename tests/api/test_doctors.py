from datetime import timedelta

import pytest

from tests.api.rest_clinic import RestClinic, opening


async def test_doctors_are_listed_by_name_without_what_is_private(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/doctors", "carl")
    assert [doctor["name"] for doctor in answer.body] == ["Dr. Ada", "Dr. Ben"]
    assert answer.body[0].keys() == {"id", "name", "specialty", "zone", "shifts", "disabled", "photo"}
    assert answer.body[0]["shifts"][0] == {"weekday": 0, "opens": 540, "closes": 1020}


async def test_one_doctor_is_shown_as_in_the_list(clinic: RestClinic) -> None:
    listed = (await clinic.ask("GET", "/api/v1/doctors", "carl")).body[0]
    assert (await clinic.ask("GET", "/api/v1/doctors/doctor-ada", "carl")).body == listed


@pytest.mark.parametrize("path", ["nobody", "patient-carl", "no.id", "%24gt", "x" * 65, "%00", "a%2Fb"])
@pytest.mark.parametrize("rest", ["", "/slots?date=2026-11-24"])
async def test_a_doctor_who_does_not_exist_is_not_found(clinic: RestClinic, path: str, rest: str) -> None:
    answer = await clinic.ask("GET", f"/api/v1/doctors/{path}{rest}", "carl")
    assert (answer.status, answer.code) == (404, "not_found")


async def test_the_slots_of_a_day_show_what_is_taken_and_what_is_past(clinic: RestClinic) -> None:
    taken = opening(0, half_hours=4)
    await clinic.book("carl", "ada", taken)
    clinic.clock.forward(timedelta(minutes=45))
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "dora", params={"date": "2026-11-23"})
    assert answer.body[0] == {"start": "2026-11-23T08:00:00Z", "end": "2026-11-23T08:30:00Z", "available": False}
    assert len(answer.body) == 16
    free = [slot["start"] for slot in answer.body if slot["available"]]
    assert "2026-11-23T10:00:00Z" not in free
    assert len(free) == 16 - 2 - 1


async def test_a_cancelled_slot_is_free_again(clinic: RestClinic) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    await clinic.ask("PATCH", f"/api/v1/appointments/{booked}/cancel", "carl")
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "dora", params={"date": "2026-11-24"})
    assert all(slot["available"] for slot in answer.body)


async def test_the_day_is_the_doctors_own(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "carl", params={"date": "2027-03-29"})
    assert answer.body[0]["start"] == "2027-03-29T07:00:00Z"


async def test_on_a_sunday_there_are_no_slots(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "carl", params={"date": "2026-11-29"})
    assert answer.body == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "date=",
        "date=today",
        "date=2026-02-30",
        "date=20261124",
        "date=1795478400",
        "date=0001-01-01",
        "date=9999-12-31",
        "date=2026-11-24T00:00:00Z",
        "date=2026-11-24&date=2026-11-25",
        "date[$gt]=2026-11-24",
    ],
)
async def test_a_bad_date_is_named(clinic: RestClinic, query: str) -> None:
    answer = await clinic.ask("GET", f"/api/v1/doctors/doctor-ada/slots?{query}", "carl")
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["errors"][0]["pointer"] == "/date"


async def test_an_unknown_parameter_is_an_error(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots?date=2026-11-24&day=1", "carl")
    assert answer.body["errors"][0]["pointer"] == "/day"
