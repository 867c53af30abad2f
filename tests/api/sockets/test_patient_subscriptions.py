"""A connected patient gets a new doctor: every event arrives once and in order, whatever the bus loses or delays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from api.sockets import patient_subscriptions
from hub.bus.feed import FeedIntervals
from hub.records.errors import StoreUnavailable
from hub.scheduling.recorded_event import RecordedEvent
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import LIMITS, SocketClinic, open_sockets
from tests.api.sockets.raw import until
from tests.api.sockets.test_sync import change


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    limits = replace(LIMITS, compare_every=0.02, retry_after=0.01)
    async with open_sockets(limits, FeedIntervals(compare_every=0.02, in_flight=0.02)) as clinic:
        yield clinic


async def test_a_first_booking_whose_notice_is_lost_is_told_all_the_same(clinic: SocketClinic) -> None:
    before = patient_subscriptions.FOUND_LATE._value.get()
    carl = await clinic.person("carl")
    clinic.commands.receive = lambda _: None
    await clinic.rest.book("dora", "ada", opening(2))
    mine = await clinic.rest.book("carl", "ada", opening(1))
    await until(lambda: carl.of("appointment"))
    [told] = carl.of("appointment")
    assert (told["type"], told["appointment"]["id"], told["seq"]) == ("booked", mine, 2)
    assert patient_subscriptions.FOUND_LATE._value.get() == before + 1
    await change(clinic, "carl", "confirm", mine)  # the doctor is followed now, so this one is mended
    await until(lambda: len(carl.of("appointment")) == 2)
    assert [told["seq"] for told in carl.of("appointment")] == [2, 3]


async def test_an_account_is_told_of_what_a_join_gives_it_and_of_nothing_before(clinic: SocketClinic) -> None:
    rest = clinic.rest
    lea = (await rest.ask("POST", "/api/v1/patients", "robin", json={"name": "Lea"})).body["id"]
    await rest.book("carl", "ben", opening(2))
    theirs = [
        await rest.book("robin", doctor, opening(1, at), patientId=lea) for at, doctor in enumerate(("ada", "ben"))
    ]
    carl, desk = await clinic.person("carl"), await clinic.person("robin")
    assert (
        await rest.ask("POST", f"/api/v1/patients/{lea}/join", "robin", json={"into": "patient-carl"})
    ).status == 200
    await until(lambda: len(carl.of("appointment")) == len(desk.of("appointment")) == 2)
    await carl.settled()
    told = carl.of("appointment")
    assert {each["appointment"]["id"] for each in told} == set(theirs)
    assert {(each["type"], each["appointment"]["patientId"]) for each in told} == {("patient_joined", "patient-carl")}
    assert {each["appointment"]["doctor"]["name"] for each in told} == {"Dr. Ada", "Dr. Ben"}
    confirmed = await carl.ask("confirm", {"appointmentId": theirs[0]})
    assert confirmed["ok"], confirmed


async def test_what_happens_during_a_catch_up_is_told_in_order(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.gateway._patient_subscriptions._compare = _never  # type: ignore[method-assign]  # the notice comes first
    carl = await clinic.person("carl")
    events_after = clinic.records.appointments.events_after
    booked = ""

    async def and_then(doctor_id: str, after: int, limit: int = 1000) -> list[RecordedEvent]:
        answer = await events_after(doctor_id, after, limit)
        monkeypatch.undo()
        await change(clinic, "carl", "confirm", booked)
        return answer

    clinic.commands.held = True
    booked = await clinic.rest.book("carl", "ada", opening(1))
    monkeypatch.setattr(clinic.records.appointments, "events_after", and_then)
    clinic.commands.release()
    await until(lambda: len(carl.of("appointment")) >= 2)
    await carl.settled()
    assert [(told["type"], told["seq"]) for told in carl.of("appointment")] == [("booked", 1), ("confirmed", 2)]


async def test_a_catch_up_waits_for_a_database_that_does_not_answer(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.person("carl")
    page, failures = clinic.records.appointments.page, []

    async def fails_once(*args: object) -> object:
        if not failures:
            failures.append(args)
            raise StoreUnavailable("down for a moment")
        return await page(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(clinic.records.appointments, "page", fails_once)
    await clinic.rest.book("carl", "ada", opening(1))
    await until(lambda: carl.of("appointment"))
    assert failures
    assert [told["seq"] for told in carl.of("appointment")] == [1]


async def test_where_all_views_are_in_memory_they_say_a_patients_new_doctor(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.person("carl")
    [session] = clinic.gateway.sessions
    for doctor in ("ada", "ben"):
        assert await clinic.rest.services.views.doctor(clinic.id(doctor))
    reads: list[object] = []
    monkeypatch.setattr(clinic.records.appointments, "doctors_of", reads.append)
    monkeypatch.setattr(clinic.gateway._patient_subscriptions, "on_notice", lambda _: None)  # the notice is lost
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.gateway._patient_subscriptions._compare()
    await until(lambda: carl.of("appointment"))
    assert session.doctors == {clinic.id("ada")}
    assert not reads


async def test_a_client_that_leaves_during_a_catch_up_leaves_nothing_behind(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.person("carl")
    [session] = clinic.gateway.sessions
    go_on = asyncio.Event()
    monkeypatch.setattr(clinic.records.appointments, "page", _after(go_on, clinic.records.appointments.page))
    await clinic.rest.book("carl", "ada", opening(1))
    await until(lambda: session.catch_ups)
    await carl.sio.disconnect()
    await until(lambda: not clinic.gateway.sessions)
    go_on.set()
    await until(lambda: not session.catch_ups)
    assert session.doctors == set()
    clinic.nothing_is_left()


async def test_a_first_booking_during_admission_is_told(clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    doctors_of = clinic.records.appointments.doctors_of
    clinic.gateway._patient_subscriptions._compare = _never  # type: ignore[method-assign]

    async def and_then_books(patient_ids: list[str]) -> dict[str, set[str]]:
        answer = await doctors_of(patient_ids)
        monkeypatch.undo()
        await clinic.rest.book("carl", "ada", opening(1))
        return answer

    monkeypatch.setattr(clinic.records.appointments, "doctors_of", and_then_books)
    carl = await clinic.person("carl")
    await until(lambda: carl.of("appointment"))
    assert [told["seq"] for told in carl.of("appointment")] == [1]


async def _never() -> None:
    """Compare nothing."""


def _after(event: asyncio.Event, read: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def waits(*args: object) -> object:
        await event.wait()
        return await read(*args)

    return waits
