"""A patient's own list, from memory: complete, never from before what the client knows, and nobody else's."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build
from api.views import patient_views
from tests.api.rest_clinic import RestClinic, opening
from tests.api.test_positions import LATE, with_late_notices

LIST = "/api/v1/appointments"


@pytest.fixture
async def other(clinic: RestClinic) -> AsyncIterator[RestClinic]:
    """The clinic as another process shows it, to which no notice comes."""
    services = with_late_notices(clinic.services)
    services.views._intervals = replace(services.views._intervals, in_flight=LATE)
    async with TestClient(TestServer(build(services), access_log=None)) as client:
        yield RestClinic(services, client, clinic.people)


async def listed(clinic: RestClinic, who: str = "carl", query: str = "", **headers: str) -> list[str]:
    answer = await clinic.ask("GET", LIST + query, who, headers=headers)
    assert answer.status == 200, answer.body
    return [appointment["id"] for appointment in answer.body]


async def reads(clinic: RestClinic, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the reads of appointments that are made from now on."""
    made: list[str] = []
    store = clinic.services.records.appointments
    for name in ("page", "doctors_of", "last_seq", "events_after", "starting_since"):
        real = getattr(store, name)

        async def noted(*args: Any, name: str = name, real: Any = real, **options: Any) -> Any:
            made.append(name)
            return await real(*args, **options)

        monkeypatch.setattr(store, name, noted)
    return made


async def test_a_list_is_answered_from_memory_and_shows_each_change_at_once(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await clinic.book("carl", "ada", opening(1))
    assert await listed(clinic) == [first]
    made = await reads(clinic, monkeypatch)
    earlier = await clinic.book("carl", "ada", opening(0, 8))
    await clinic.book("dora", "ada", opening(2))
    assert await listed(clinic) == [earlier, first]
    await clinic.ask("PATCH", f"{LIST}/{first}/cancel", "carl")
    assert await listed(clinic, query="?status=cancelled") == [first]
    assert made == []
    with_ben = await clinic.book("carl", "ben", opening(3))  # a new doctor: the list is read again
    assert await listed(clinic) == [earlier, first, with_ben]
    answer = await clinic.ask("GET", LIST, "carl")
    assert sorted(answer.headers["Position"].split(", ")) == ["doctor-ada=4", "doctor-ben=1"]


async def hold_all(clinic: RestClinic) -> None:
    """Read the views of all doctors, as a process does when it starts."""
    for doctor in ("ada", "ben"):
        assert await clinic.services.views.doctor(clinic.id(doctor))


async def test_a_list_is_made_of_the_views_of_all_doctors_without_a_read(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = [await clinic.book("carl", "ada", opening(1)), await clinic.book("carl", "ben", opening(2))]
    await clinic.book("dora", "ben", opening(3))
    await hold_all(clinic)
    made = await reads(clinic, monkeypatch)
    assert await listed(clinic) == booked
    booked.append(await clinic.book("carl", "ben", opening(4)))
    assert await listed(clinic) == booked
    assert await listed(clinic, query="?limit=1") == booked[:1]
    now = clinic.services.patient_views._monotonic
    clinic.services.patient_views._monotonic = lambda: now() + patient_views._CHECK_EVERY
    assert await listed(clinic) == booked
    assert made == []


async def test_a_list_makes_the_views_that_it_missed_be_read(clinic: RestClinic) -> None:
    views = clinic.services.views
    await views.doctor(clinic.id("ada"))
    assert await listed(clinic) == []
    assert views.take_missed() == {clinic.id("ben")}
    assert views.take_missed() == set()


async def test_only_what_is_older_than_the_views_is_read_with_them(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await clinic.book("carl", "ada", opening(1))
    clinic.clock.forward(timedelta(days=40))
    second = await clinic.book("carl", "ada", opening(42))
    await hold_all(clinic)
    made = await reads(clinic, monkeypatch)
    assert await listed(clinic) == [first, second]
    third = await clinic.book("carl", "ben", opening(43))
    assert await listed(clinic) == [first, second, third]
    assert made == ["page", "page"], "when the list is read, and when it has got another doctor"


async def test_a_list_waits_for_a_view_that_is_behind_what_its_process_or_client_knows(
    clinic: RestClinic, other: RestClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process in (clinic, other):
        await hold_all(process)
    first = await clinic.book("carl", "ben", opening(1))
    assert await listed(clinic) == [first]
    made = await reads(other, monkeypatch)
    assert await listed(other, **{"If-Position": "doctor-ben=1"}) == [first]
    assert (made.count("page"), made.count("doctors_of")) == (0, 0), "the view was waited for, and nothing else read"
    second = await clinic.book("carl", "ada", opening(2))
    other.services.views._positions["doctor-ada"] = 1  # as after a reply whose notice is still waiting for another
    other.services.patient_views._held.clear()
    assert await listed(other) == [first, second]


async def test_a_list_is_never_from_before_a_position_that_its_client_knows(
    clinic: RestClinic, other: RestClinic
) -> None:
    first = await clinic.book("carl", "ada", opening(1))
    assert await listed(other) == [first]
    second = await clinic.book("carl", "ada", opening(2))
    third = await clinic.book("carl", "ben", opening(3))
    assert await listed(other) == [first]  # it knows of nothing later
    assert await listed(other, **{"If-Position": "doctor-ada=2"}) == [first, second]
    assert await listed(other, **{"If-Position": "doctor-ben=1, doctor-ada=2"}) == [first, second, third]


async def test_a_first_booking_whose_notice_is_lost_is_found_after_some_seconds(
    clinic: RestClinic, other: RestClinic
) -> None:
    assert await listed(other) == []
    booked = await clinic.book("carl", "ben", opening(3))
    assert await listed(other) == []
    now = other.services.patient_views._monotonic
    other.services.patient_views._monotonic = lambda: now() + patient_views._CHECK_EVERY
    assert await listed(other) == [booked]


async def test_a_list_whose_journal_begins_too_late_is_read_again(clinic: RestClinic) -> None:
    assert await listed(clinic) == []
    booked = [await clinic.book("carl", "ada", opening(1))]
    assert await listed(clinic) == booked
    reading = await clinic.services.views.doctor(clinic.id("ada"))
    assert reading
    reading.view.journal.capacity = 2
    booked += [await clinic.book("carl", "ada", opening(1, number)) for number in range(1, 5)]
    assert await listed(clinic) == booked


@pytest.mark.parametrize("seed", range(3))
async def test_lists_equal_the_record_after_any_history(clinic: RestClinic, seed: int) -> None:
    choose = random.Random(seed)
    booked: list[tuple[str, str]] = []
    for number in range(40):
        who, doctor = choose.choice(["carl", "dora"]), choose.choice(["ada", "ben"])
        if booked and choose.random() < 0.5:
            appointment_id, owner = choose.choice(booked)
            change = choose.choice(["confirm", "cancel", "reschedule"])
            body = {"start": opening(4 + number // 12, number % 12).isoformat()} if change == "reschedule" else None
            await clinic.ask("PATCH", f"{LIST}/{appointment_id}/{change}", owner, json=body)
        else:
            start = opening(number // 12, number % 12).isoformat()
            answer = await clinic.ask("POST", LIST, who, json={"doctorId": clinic.id(doctor), "start": start})
            if answer.status == 201:
                booked.append((answer.body["id"], who))
        reader = choose.choice(["carl", "dora"])
        query = choose.choice(["", "?status=scheduled", "?status=confirmed,cancelled", f"?from={_day(1)}&to={_day(3)}"])
        from_memory = await listed(clinic, reader, query)
        clinic.services.patient_views._held.clear()
        assert from_memory == await listed(clinic, reader, query)
        assert all(owner == reader for id_, owner in booked if id_ in from_memory)


async def test_the_least_recently_used_lists_go_when_the_budget_is_reached(clinic: RestClinic) -> None:
    views = clinic.services.patient_views
    for who in ("carl", "dora"):
        await clinic.book(who, "ada", opening(1, len(who) + ord(who[0]) % 7))
        await listed(clinic, who)
    assert views._bytes == sum(patient.size for patient in views._held.values()) > 0
    views._budget = views._bytes - 1
    await clinic.book("carl", "ben", opening(2))
    await listed(clinic, "carl")
    assert list(views._held) == ["patient-carl"]
    assert views._bytes == views._held["patient-carl"].size


def _day(number: int) -> str:
    return opening(number).date().isoformat() + "T00:00:00Z"
