"""The board: a day of all doctors for the front desk, the own day for a doctor."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build
from api.views.board import ENCODED
from api.views.doctor_directory import FRESH_FOR
from api.views.view_reader import WINDOW
from tests.api.rest_clinic import Answer, RestClinic, opening
from tests.api.test_positions import with_late_notices
from tests.records_away import away

BOARD = "/api/v1/board"


def day(number: int) -> str:
    return opening(number).date().isoformat()


async def board_of(clinic: RestClinic, who: str = "robin", number: int = 1, *doctors: str, **sent: Any) -> Answer:
    """Return a person's board of the day `number` days after Monday."""
    query = {"date": day(number), "doctorId": [clinic.id(name) for name in doctors]}
    return await clinic.ask("GET", BOARD, who, params=query, **sent)


async def test_a_receptionist_sees_the_day_of_all_doctors(clinic: RestClinic) -> None:
    first = await clinic.book("carl", "ada", opening(1, 2))
    await clinic.book("dora", "ben", opening(2))
    cancelled = await clinic.book("dora", "ada", opening(1, 3))
    assert (await clinic.ask("PATCH", f"/api/v1/appointments/{cancelled}/cancel", "dora")).status == 200

    board = (await board_of(clinic)).body

    assert (board["date"], board["position"]) == (day(1), {"doctor-ada": 3, "doctor-ben": 1})
    ada, ben = board["doctors"]
    assert (ada["id"], ada["name"], ada["zone"]) == ("doctor-ada", "Dr. Ada", "Europe/Berlin")
    assert [each["id"] for each in ada["appointments"]] == [first, cancelled]
    assert (
        ada["appointments"]
        == (await clinic.ask("GET", "/api/v1/appointments", "robin", params={"doctorId": "doctor-ada"})).body
    )
    slots = await clinic.ask("GET", "/api/v1/doctors/doctor-ada/slots", "robin", params={"date": day(1)})
    assert ada["slots"] == slots.body
    assert [each["available"] for each in ada["slots"]][:4] == [True, True, False, True]
    assert (ben["name"], ben["appointments"], len(ben["slots"])) == ("Dr. Ben", [], 16)


async def test_a_board_shows_only_the_doctors_that_are_named_in_the_order_of_their_names(clinic: RestClinic) -> None:
    assert [each["id"] for each in (await board_of(clinic, "robin", 1, "ben")).body["doctors"]] == ["doctor-ben"]
    both = await clinic.ask("GET", BOARD, "robin", params={"date": day(1), "doctorId": "doctor-ben,doctor-ada"})
    assert [each["id"] for each in both.body["doctors"]] == ["doctor-ada", "doctor-ben"]
    nobody = await clinic.ask("GET", BOARD, "robin", params={"date": day(1), "doctorId": "patient-carl"})
    assert (nobody.status, nobody.code) == (404, "not_found")


async def test_a_doctor_sees_the_own_day_only(clinic: RestClinic) -> None:
    await clinic.book("carl", "ben", opening(1))
    assert [each["id"] for each in (await board_of(clinic, "ben")).body["doctors"]] == ["doctor-ben"]
    assert [each["id"] for each in (await board_of(clinic, "ben", 1, "ben")).body["doctors"]] == ["doctor-ben"]
    assert (await board_of(clinic, "ben", 1, "ben", "ada")).code == "forbidden"
    assert (await board_of(clinic, "carl")).code == "forbidden"


@pytest.mark.parametrize("query", [{}, {"date": "tomorrow"}, {"date": "2026-02-30"}, {"date": "2026-11-24", "x": "1"}])
async def test_a_board_needs_a_day_and_nothing_unknown(clinic: RestClinic, query: dict[str, str]) -> None:
    assert (await clinic.ask("GET", BOARD, "robin", params=query)).code == "invalid_request"


async def test_the_same_bytes_are_sent_until_something_changes(clinic: RestClinic) -> None:
    first = await board_of(clinic)
    encoded = ENCODED._value.get()
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await board_of(clinic, headers=known)).status == 304
    assert ENCODED._value.get() == encoded

    await clinic.book("carl", "ada", opening(1))

    changed = await board_of(clinic, headers=known)
    assert changed.status == 200
    assert changed.body["doctors"][0]["appointments"]
    assert ENCODED._value.get() == encoded + 1  # Ben's part is as it was


async def test_a_slot_that_begins_is_no_longer_available_on_the_board(clinic: RestClinic) -> None:
    before = (await board_of(clinic, number=0)).body["doctors"][0]["slots"]
    clinic.clock.forward(timedelta(minutes=31))
    after = (await board_of(clinic, "rosa", 0, headers={})).body["doctors"][0]["slots"]
    assert ([each["available"] for each in before][:3], [each["available"] for each in after][:3]) == (
        [False, True, True],
        [False, False, True],
    )


async def test_a_day_before_the_window_of_the_views_is_read_from_the_record(clinic: RestClinic) -> None:
    old, id_ = opening(1), await clinic.book("carl", "ada", opening(1))
    await clinic.book("carl", "ada", opening(7))
    clinic.clock.forward(WINDOW + timedelta(days=3))
    board = await board_of(clinic)
    (reading,) = [await clinic.services.views.doctor("doctor-ada")]
    assert reading is not None
    assert reading.view.begin > old
    ada, ben = board.body["doctors"]
    assert [each["id"] for each in ada["appointments"]] == [id_]
    assert (ada["name"], {each["available"] for each in ada["slots"]}) == ("Dr. Ada", {False})
    assert (ben["appointments"], len(ben["slots"])) == ([], 16)


async def test_a_new_name_is_on_the_board_within_two_seconds(clinic: RestClinic) -> None:
    now = 1000.0
    clinic.services.boards._directory._monotonic = lambda: now
    await board_of(clinic)
    assert (await clinic.ask("PATCH", "/api/v1/users/me", "ada", json={"name": "Dr. Zoe"})).status == 200
    now += FRESH_FOR + 0.1
    assert [each["name"] for each in (await board_of(clinic)).body["doctors"]] == ["Dr. Ben", "Dr. Zoe"]


async def test_a_complete_board_is_answered_without_the_database_and_says_its_age(clinic: RestClinic) -> None:
    views, now = clinic.services.views, 1000.0
    views._monotonic = clinic.services.boards._directory._monotonic = lambda: now
    views._feed.state.compared_at = now
    assert (await board_of(clinic)).status == 200
    now += 60
    with away(clinic.services.records):
        board = await board_of(clinic)
        elsewhere = await board_of(clinic, number=2)
    assert (board.status, board.headers["Age"]) == (200, "60")
    assert "Warning" in board.headers
    assert elsewhere.status == 200


@pytest.fixture
async def other(clinic: RestClinic) -> AsyncIterator[RestClinic]:
    """The clinic as another process shows it, which gets no notices."""
    services = with_late_notices(clinic.services)
    async with TestClient(TestServer(build(services), access_log=None)) as client:
        yield RestClinic(services, client, clinic.people)


async def test_a_board_is_never_from_before_a_position_that_its_client_knows(
    clinic: RestClinic, other: RestClinic
) -> None:
    assert not (await board_of(other)).body["doctors"][0]["appointments"]
    id_ = await clinic.book("carl", "ada", opening(1))
    board = await board_of(other, headers={"If-Position": "doctor-ada=1"})
    assert [each["id"] for each in board.body["doctors"][0]["appointments"]] == [id_]
