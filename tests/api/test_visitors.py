"""Doctors and free times can be read without a log-in, so many times a minute from one address."""

import pytest

from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import RestClinic, make_services, opening

DOCTORS = "/api/v1/doctors"
PATHS = [
    DOCTORS,
    f"{DOCTORS}/doctor-ada",
    f"{DOCTORS}/doctor-ada/slots?date=2026-11-24",
    f"{DOCTORS}/doctor-ada/free-days",
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_visitor_reads_what_a_patient_reads(clinic: RestClinic, path: str) -> None:
    await clinic.book("carl", "ada", opening(1))
    visitor, patient = await clinic.ask("GET", path), await clinic.ask("GET", path, "dora")
    assert visitor.status == 200
    assert visitor.body == patient.body
    assert "carl" not in str(visitor.body)


@pytest.mark.parametrize("path", PATHS)
async def test_visitors_of_one_address_are_limited_and_people_who_are_signed_in_are_not(
    open_for_test: OpenClinic, path: str
) -> None:
    clinic = await open_for_test(await make_services(visitor_reads_per_minute_per_address=2))
    assert [(await clinic.ask("GET", path)).status for _ in range(3)] == [200, 200, 429]
    refused = await clinic.ask("GET", path)
    assert (refused.code, int(refused.headers["Retry-After"])) == ("too_many_requests", 30)
    assert (await clinic.ask("GET", path, "carl")).status == 200


async def test_a_token_that_is_not_good_does_not_make_a_visitor(clinic: RestClinic) -> None:
    assert (await clinic.ask("GET", DOCTORS, token="nonsense")).code == "invalid_token"


async def test_free_days_count_what_the_slots_of_each_day_show(clinic: RestClinic) -> None:
    await clinic.book("carl", "ada", opening(1))
    days = (await clinic.ask("GET", f"{DOCTORS}/doctor-ada/free-days", params={"from": "2026-11-22", "days": "9"})).body
    assert [day["date"] for day in days] == [f"2026-11-{number}" for number in range(22, 31)]
    for day in days:
        slots = (await clinic.ask("GET", f"{DOCTORS}/doctor-ada/slots", params={"date": day["date"]})).body
        assert day["free"] == sum(slot["available"] for slot in slots)
    assert days[0]["free"] == 0  # it has passed
    assert days[3]["free"] == days[2]["free"] + 1


async def test_free_days_begin_today_in_the_doctors_zone(clinic: RestClinic) -> None:
    days = (await clinic.ask("GET", f"{DOCTORS}/doctor-ada/free-days")).body
    assert (days[0]["date"], len(days)) == ("2026-11-23", 14)


@pytest.mark.parametrize("query", [{"days": "0"}, {"days": "63"}, {"from": "tomorrow"}])
async def test_free_days_of_a_wrong_range_are_refused(clinic: RestClinic, query: dict[str, str]) -> None:
    assert (await clinic.ask("GET", f"{DOCTORS}/doctor-ada/free-days", params=query)).code == "invalid_request"


async def test_free_days_of_nobody_are_not_found(clinic: RestClinic) -> None:
    assert (await clinic.ask("GET", f"{DOCTORS}/nobody/free-days")).code == "not_found"
