"""Which clients are admitted, which are refused and why, and that nothing is left of a client that disconnected."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from socketio.exceptions import ConnectionError as NotConnected

from hub.bus.feed import FeedIntervals
from hub.records.errors import StoreUnavailable
from hub.scheduling.values import Role
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import LIMITS, Person, SocketClinic, open_sockets
from tests.api.sockets.raw import raw, until


async def refusal(clinic: SocketClinic, auth: object) -> str:
    """Connect, expect a refusal, check that nothing is left of the session, and return the code."""
    person = Person()
    with pytest.raises(NotConnected):
        await person.sio.connect(clinic.address, transports=["websocket"], auth=auth, wait_timeout=10)
    await until(lambda: person.refusal)
    assert person.refusal["message"] == person.refusal["data"]["detail"]
    clinic.nothing_is_left()
    return str(person.refusal["data"]["code"])


@pytest.mark.parametrize(
    "auth", [None, {}, [], "token", 7, {"token": None}, {"token": ""}, {"token": {"$gt": ""}}, {"Token": "x"}]
)
async def test_a_connect_without_a_token_is_refused(clinic: SocketClinic, auth: object) -> None:
    assert await refusal(clinic, auth) == "unauthenticated"


async def test_a_connect_with_an_invalid_token_is_refused(clinic: SocketClinic) -> None:
    token = clinic.rest.token("carl")
    head, claims, signature = token.split(".")
    for bad in ("x", "x" * 10_000, f"{head}.{claims}.", f"{head}.{claims[:-2]}AA.{signature}", "ü.\ud800.x"):
        assert await refusal(clinic, {"token": bad}) == "invalid_token"


async def test_a_connect_with_an_expired_token_is_refused(clinic: SocketClinic) -> None:
    token = clinic.rest.token("carl")
    clinic.clock.forward(timedelta(minutes=16))
    assert await refusal(clinic, {"token": token}) == "token_expired"


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreUnavailable("down"), "unavailable"), (RuntimeError("a mistake"), "internal"), (TypeError("a"), "internal")],
)
@pytest.mark.parametrize("name", ["ada", "carl"])
async def test_every_error_at_connect_is_a_refusal_with_a_code(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception, code: str
) -> None:
    async def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(clinic.records.appointments, "last_seq", fails)
    monkeypatch.setattr(clinic.records.appointments, "doctors_of", fails)
    assert await refusal(clinic, {"token": clinic.rest.token(name)}) == code


async def test_a_database_that_hangs_does_not_hang_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_sockets(replace(LIMITS, admit_within=0.1)) as clinic:

        async def hangs(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(clinic.records.appointments, "last_seq", hangs)
        assert await refusal(clinic, {"token": clinic.rest.token("ada")}) == "unavailable"


async def test_the_connection_of_a_refused_client_is_ended(clinic: SocketClinic) -> None:
    async with raw(clinic.address) as client:
        assert (await client.connect({"token": "x"})).startswith("44{")
        await client.end()


async def test_a_doctor_is_followed_while_connected(clinic: SocketClinic) -> None:
    first, second = await clinic.person("ada"), await clinic.person("ada")
    assert clinic.followed() == {clinic.id("ada"): 2}
    await first.sio.disconnect()
    await until(lambda: clinic.followed() == {clinic.id("ada"): 1})
    await second.sio.disconnect()
    await until(lambda: clinic.followed() == {})
    clinic.nothing_is_left()


async def test_all_doctors_of_a_patient_are_followed_while_the_patient_is_connected(clinic: SocketClinic) -> None:
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.rest.book("carl", "ada", opening(2))
    cancelled = await clinic.rest.book("carl", "ben", opening(3))
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{cancelled}/cancel", "carl")

    carl = await clinic.person("carl")
    assert clinic.followed() == {clinic.id("ada"): 1, clinic.id("ben"): 1}
    await carl.sio.disconnect()
    await until(lambda: clinic.followed() == {})
    clinic.nothing_is_left()


async def test_a_doctor_with_whom_a_connected_patient_books_is_followed_from_then_on(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.person("carl")
    assert clinic.followed() == {}
    follow = clinic.feed.follow
    failures = []

    async def fails_once(doctor_id: str) -> int:
        if not failures:
            failures.append(doctor_id)
            raise StoreUnavailable("down for a moment")
        return await follow(doctor_id)

    await clinic.rest.book("carl", "ben", opening(1))
    await until(lambda: clinic.followed() == {clinic.id("ben"): 1})
    monkeypatch.setattr(clinic.feed, "follow", fails_once)
    await clinic.rest.book("carl", "ada", opening(2))
    await until(lambda: clinic.followed() == {clinic.id("ben"): 1, clinic.id("ada"): 1})
    assert failures == [clinic.id("ada")]
    await clinic.rest.book("carl", "ada", opening(3))
    await carl.settled()
    assert clinic.followed() == {clinic.id("ben"): 1, clinic.id("ada"): 1}
    await carl.sio.disconnect()
    await until(lambda: clinic.followed() == {})


async def test_a_client_that_leaves_amid_a_watch_leaves_nothing_behind(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await clinic.raw("carl")
    go_on = asyncio.Event()
    reading = []
    last_seq = clinic.records.appointments.last_seq

    async def slow(doctor_id: str, known: int = 0) -> int:
        reading.append(doctor_id)
        await go_on.wait()
        return await last_seq(doctor_id, known)

    monkeypatch.setattr(clinic.records.appointments, "last_seq", slow)
    await carl.send(f'421["watch",{{"doctorId":"{clinic.id("ada")}","date":"2026-11-24"}}]')
    await until(lambda: reading)
    await carl.websocket.close()
    await until(lambda: not clinic.gateway.sessions)
    go_on.set()
    await until(lambda: clinic.followed() == {})
    clinic.nothing_is_left()


async def test_nothing_that_happens_after_the_connect_answer_is_missed() -> None:
    """The bus loses the notice. The feed finds it, because it read the doctor's position before the connect answer."""
    async with open_sockets(intervals=FeedIntervals(compare_every=0.05, in_flight=0.0)) as clinic:
        ada = await clinic.person("ada")
        clinic.commands.receive = lambda _: None
        await clinic.rest.book("carl", "ada", opening(1))
        await until(lambda: ada.of("appointment"))
        assert [told["seq"] for told in ada.of("appointment")] == [1]


async def test_a_server_about_to_stop_lets_nobody_in(clinic: SocketClinic) -> None:
    await clinic.gateway._dispatch.drain(0.1)
    assert await refusal(clinic, {"token": clinic.rest.token("carl")}) == "draining"


async def test_a_token_of_another_role_with_the_same_id_opens_nothing(clinic: SocketClinic) -> None:
    """A room belongs to a role and an id: the id alone opens nothing."""
    token = clinic.rest.services.tokens.issue(clinic.id("ada"), Role.PATIENT, "s")
    impostor = await clinic.person_with({"token": token})
    await clinic.rest.book("carl", "ada", opening(1))
    await impostor.settled()
    assert impostor.events == []
