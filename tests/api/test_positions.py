"""Answers carry the position that they are complete up to, and none is from before a position that its client knows."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build
from api.services import Services, assemble
from hub.bus.feed import Feed
from hub.bus.messages import Notice
from tests.api.rest_clinic import Announced, RestClinic, opening
from tests.records_away import away

LATE = 0.02


def with_late_notices(services: Services) -> Services:
    """Return a second api process over the same record, to which no notice comes."""

    def deliver(notice: Notice) -> None:
        raise AssertionError(f"{notice} was delivered without a read of the record")

    return assemble(
        settings=services.settings,
        clock=services.clock,
        records=services.records,
        photos=services.photos,
        commands=services.commands,
        notice_feed=Feed(services.records, deliver),
        session_announcer=Announced(),
        engines=services.engines,
        timeouts=services.timeouts,
    )


@pytest.fixture
async def other(clinic: RestClinic) -> AsyncIterator[RestClinic]:
    """The clinic as another process shows it, which gets its notices late."""
    services = with_late_notices(clinic.services)
    services.views._intervals = replace(services.views._intervals, in_flight=LATE)
    async with TestClient(TestServer(build(services), access_log=None)) as client:
        yield RestClinic(services, client, clinic.people)


def slots_of(clinic: RestClinic, doctor: str, day: int = 1) -> str:
    return f"/api/v1/doctors/{clinic.id(doctor)}/slots?date={opening(day).date().isoformat()}"


def read_of(clinic: RestClinic, what: str, appointment_id: str) -> str:
    """Return the path of one of the reads that have a position."""
    lists = {"slots": slots_of(clinic, "ada"), "list": "/api/v1/appointments"}
    return lists.get(what, f"/api/v1/appointments/{appointment_id}")


async def test_every_change_says_the_position_from_which_on_it_is_seen(clinic: RestClinic) -> None:
    body = {"doctorId": clinic.id("ada"), "start": opening(1).isoformat()}
    booked = await clinic.ask("POST", "/api/v1/appointments", "carl", json=body)
    assert booked.headers["Position"] == f"{clinic.id('ada')}=1"
    path = f"/api/v1/appointments/{booked.body['id']}"
    moved = {"start": opening(1, 1).isoformat()}
    for number, (change, who, sent) in enumerate(
        [("confirm", "carl", None), ("reschedule", "ada", moved), ("cancel", "carl", None)], start=2
    ):
        answer = await clinic.ask("PATCH", f"{path}/{change}", who, json=sent)
        assert answer.headers["Position"] == f"{clinic.id('ada')}={number}"
    hours = await clinic.ask("PUT", "/api/v1/doctors/me/hours", "ada", json={"shifts": []})
    assert hours.headers["Position"] == f"{clinic.id('ada')}=5"


@pytest.mark.parametrize("what", ["slots", "list", "one"])
async def test_an_answer_is_never_from_before_a_position_that_its_client_knows(
    clinic: RestClinic, other: RestClinic, what: str
) -> None:
    first = await clinic.book("carl", "ada", opening(1))
    path = read_of(clinic, what, first)
    before = await other.ask("GET", path, "ada")
    position = {"If-Position": before.headers["Position"]}
    await clinic.ask("PATCH", f"/api/v1/appointments/{first}/cancel", "carl")
    there = await clinic.ask("GET", path, "ada")
    assert there.body != before.body
    assert (await other.ask("GET", path, "ada", headers=position)).body == before.body  # it knows of no change
    position = {"If-Position": there.headers["Position"]}
    now = await other.ask("GET", path, "ada", headers=position)
    assert (now.body, now.headers["Position"], now.headers["ETag"]) == (
        there.body,
        there.headers["Position"],
        there.headers["ETag"],
    )


async def test_whoever_changes_something_sees_it_at_once(clinic: RestClinic) -> None:
    """The notice is in the reply, so it does not matter when the bus delivers it."""
    assert (await clinic.ask("GET", slots_of(clinic, "ada"), "carl")).body[0]["available"] is True
    assert (await clinic.ask("GET", "/api/v1/appointments", "ada")).body == []
    booked = await clinic.book("carl", "ada", opening(1))
    assert (await clinic.ask("GET", slots_of(clinic, "ada"), "carl")).body[0]["available"] is False
    assert [each["id"] for each in (await clinic.ask("GET", "/api/v1/appointments", "ada")).body] == [booked]
    await clinic.ask("PUT", "/api/v1/doctors/me/hours", "ada", json={"shifts": []})
    assert (await clinic.ask("GET", slots_of(clinic, "ada"), "carl")).body == []


@pytest.mark.parametrize("what", ["slots", "list", "one"])
async def test_what_has_not_changed_is_answered_with_304(clinic: RestClinic, what: str) -> None:
    booked = await clinic.book("carl", "ada", opening(1))
    path = read_of(clinic, what, booked)
    first = await clinic.ask("GET", path, "ada")
    known = {"If-None-Match": first.headers["ETag"]}
    again = await clinic.ask("GET", path, "ada", headers=known)
    assert (again.status, again.body) == (304, None)
    assert again.headers["Position"] == first.headers["Position"]
    await clinic.ask("PATCH", f"/api/v1/appointments/{booked}/cancel", "carl")
    changed = await clinic.ask("GET", path, "ada", headers=known)
    assert changed.status == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("given", ["", "ada", "ada=", "ada=-1", "ada=1;ben=2", "=1", "ada=1,", "ä=1"])
async def test_a_position_that_is_none_is_refused(clinic: RestClinic, given: str) -> None:
    answer = await clinic.ask("GET", slots_of(clinic, "ada"), "carl", headers={"If-Position": given})
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["errors"][0]["pointer"] == "/If-Position"


async def test_positions_of_other_doctors_do_not_matter(clinic: RestClinic) -> None:
    known = {"If-Position": f"{clinic.id('ben')}=7, {clinic.id('ada')}=0"}
    assert (await clinic.ask("GET", slots_of(clinic, "ada"), "carl", headers=known)).status == 200


async def test_without_the_database_known_answers_are_given_with_their_age(clinic: RestClinic) -> None:
    first = await clinic.ask("GET", slots_of(clinic, "ada"), "carl")
    clinic.services.notice_feed.state.compared_at = -100.0
    views = clinic.services.views
    views._monotonic = lambda: views._held[clinic.id("ada")].proven_at + 60
    with away(clinic.services.records):
        answer = await clinic.ask("GET", slots_of(clinic, "ada"), "carl")
        assert (answer.body, answer.headers["Age"]) == (first.body, "60")
        assert answer.headers["Warning"].startswith("111 ")
        assert (await clinic.ask("GET", slots_of(clinic, "ben"), "carl")).code == "unavailable"
