"""The registry of sessions: nothing of a session is left when it has ended, whatever it did and however it ended."""

import asyncio
import gc
import json
import random

import pytest

from api.sockets.session import Session
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import Person, SocketClinic
from tests.api.sockets.raw import raw, until

NAMES = ("ada", "ben", "carl", "dora")
DAYS = tuple(f"2026-11-{day}" for day in range(23, 28))


def alive() -> list[Session]:
    """Return every session that is still referred to from anywhere in this process."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, Session)]


async def use(clinic: SocketClinic, number: int) -> None:
    """Connect, watch some days, end some watches, and disconnect in one of three ways, perhaps amid a command."""
    choose = random.Random(number)
    auth = {"token": clinic.rest.token(choose.choice(NAMES))}
    person = Person()
    await person.sio.connect(clinic.address, transports=["websocket"], auth=auth, wait_timeout=10)
    for date in choose.sample(DAYS, 3):
        assert (await person.ask("watch", {"doctorId": clinic.id(choose.choice(NAMES[:2])), "date": date}))["ok"]
    assert (await person.ask("unwatch", {"doctorId": clinic.id("ada"), "date": choose.choice(DAYS)}))["ok"]
    how = choose.randrange(3)
    if how:
        await person.sio.emit("watch", {"doctorId": clinic.id("ben"), "date": choose.choice(DAYS)})
    if how == 2:
        await person.sio.eio.ws.close()  # without the goodbye of Socket.IO
    await person.sio.disconnect()


async def test_nothing_is_left_of_sessions_that_ended(clinic: SocketClinic) -> None:
    before = set(map(id, alive()))
    await clinic.rest.book("carl", "ada", opening(2))
    for wave in range(5):
        clients = [asyncio.create_task(use(clinic, wave * 20 + number)) for number in range(20)]
        await clinic.rest.book("dora", "ben", opening(2, wave))  # a patient gets a new doctor meanwhile
        await asyncio.gather(*clients)
    await until(lambda: not clinic.gateway.sessions)
    await until(lambda: not clinic.gateway.server.sio.manager.rooms and clinic.followed() == {})
    clinic.nothing_is_left()
    await until(lambda: not clinic.gateway.server.sio.eio.sockets)
    await until(lambda: {id(session) for session in alive()} <= before)


async def test_while_sessions_live_the_registry_holds_them_in_every_index(clinic: SocketClinic) -> None:
    """Shows that the leftover check looks at the indexes that sessions are in."""
    await clinic.rest.book("carl", "ada", opening(2))
    carl = await clinic.person("carl")
    await carl.ask("watch", {"doctorId": clinic.id("ben"), "date": DAYS[0]})
    sessions = clinic.gateway.sessions
    [session] = sessions
    await clinic.person("robin")
    indexes = [held for held in vars(sessions).values() if isinstance(held, dict)]
    assert sorted(len(index) for index in indexes) == [1, 1, 1, 2, 2]  # both are in that by sid, and in their rooms
    assert session.doctors == {clinic.id("ada")}
    assert session.subscriptions == {(clinic.id("ada"), None), (clinic.id("ben"), opening(0).date())}
    with pytest.raises(AssertionError):
        clinic.nothing_is_left()


async def test_nothing_is_left_of_a_session_that_ended_during_its_admission(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()
    doctors_of = clinic.records.appointments.doctors_of

    async def slow(patient_ids: list[str]) -> dict[str, set[str]]:
        reading.set()
        await go_on.wait()
        return await doctors_of(patient_ids)

    monkeypatch.setattr(clinic.records.appointments, "doctors_of", slow)
    async with raw(clinic.address) as carl:
        await carl.send("40" + json.dumps({"token": clinic.rest.token("carl")}))
        await reading.wait()
        # A ping timeout does this: the client's pongs are not read during its admission.
        [connection] = clinic.gateway.server.sio.eio.sockets.values()
        await connection.close(wait=False, abort=True, reason="ping timeout")
        go_on.set()
        await until(lambda: not clinic.gateway.sessions)
        await until(lambda: not clinic.gateway.server.sio.eio.sockets)
    clinic.nothing_is_left()
