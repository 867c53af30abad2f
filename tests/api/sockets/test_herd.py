"""All clients reconnect at once: a few syncs run at a time, the others wait, and each is answered within a limit."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.api.rest_clinic import MONDAY_MORNING, opening
from tests.api.sockets.clinic import LIMITS, Person, SocketClinic, open_sockets
from tests.api.sockets.conftest import OpenWith
from tests.people import OFFICE_HOURS, doctor


class Slow:
    """Reads of a doctor's appointments that wait until `answered` is set."""

    def __init__(self, clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.answered = asyncio.Event()
        self._read = clinic.records.appointments.starting_since
        monkeypatch.setattr(clinic.records.appointments, "starting_since", self)

    async def __call__(self, *args: Any) -> Any:
        self.asked += 1
        await self.answered.wait()
        return await self._read(*args)

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while self.asked < times:  # noqa: ASYNC110 -- a count
                await asyncio.sleep(0.01)


@pytest.fixture
async def clinic() -> AsyncIterator[SocketClinic]:
    async with open_sockets(replace(LIMITS, syncs_at_once=2)) as clinic:
        yield clinic


async def screens_of(clinic: SocketClinic, number: int) -> list[Person]:
    """Return clients of so many doctors: all clients of one doctor wait for the same read."""
    screens = []
    for each in range(number):
        name = f"doctor{each}"
        clinic.rest.people[name] = doctor(f"doctor-{each}", "Europe/Berlin", OFFICE_HOURS, created_at=MONDAY_MORNING)
        assert await clinic.records.users.add([clinic.rest.people[name]]) is None
        screens.append(await clinic.person(name))
    return screens


async def test_a_few_syncs_read_at_a_time_and_all_are_answered(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    screens = await screens_of(clinic, 6)
    slow = Slow(clinic, monkeypatch)
    syncs = [asyncio.create_task(screen.ask("sync", {})) for screen in screens]
    await slow.until_asked(2)
    for screen in screens:
        await screen.sio.emit("no such event")
    await asyncio.sleep(0.1)
    assert slow.asked == 2
    slow.answered.set()
    assert [answer["ok"] for answer in await asyncio.gather(*syncs)] == [True] * 6


async def test_a_sync_that_takes_too_long_is_answered_unavailable(
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = await open_with(syncs_at_once=2, sync_within=1.0)
    screens = await screens_of(clinic, 4)
    slow = Slow(clinic, monkeypatch)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(screen.refused("sync", {}) for screen in screens))
    assert answers == ["unavailable"] * 4
    slow.answered.set()
    assert [(await screen.ask("sync", {}))["ok"] for screen in screens] == [True] * 4


async def test_nothing_is_read_for_a_client_that_left_before_its_turn(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, gone = await screens_of(clinic, 3)
    slow = Slow(clinic, monkeypatch)
    waiting = [asyncio.create_task(each.ask("sync", {})) for each in (first, second)]
    await slow.until_asked(2)
    await gone.sio.emit("sync", {})
    async with asyncio.timeout(5):
        while sum(session.pending for session in clinic.gateway.sessions) < 3:  # noqa: ASYNC110 -- a count
            await asyncio.sleep(0.01)
    await gone.sio.disconnect()
    async with asyncio.timeout(5):
        while len(clinic.gateway.sessions) > 2:  # noqa: ASYNC110 -- a count
            await asyncio.sleep(0.01)
    slow.answered.set()
    assert all(answer["ok"] for answer in await asyncio.gather(*waiting))
    await first.settled()
    assert slow.asked == 2


async def test_all_clients_of_a_doctor_wait_for_the_same_read(
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = await open_with(syncs_at_once=6)
    await clinic.rest.book("carl", "ada", opening(1))
    screens = [await clinic.person(name) for name in ("ada", "carl", "robin") for _ in range(2)]
    slow = Slow(clinic, monkeypatch)
    syncs = [asyncio.create_task(screen.ask("sync", {})) for screen in screens]
    await slow.until_asked(2)
    slow.answered.set()
    answers = await asyncio.gather(*syncs)
    assert [len(answer["appointments"]) for answer in answers] == [1] * 6
    assert slow.asked == 2  # one read for Ada, and one for Ben, whom the receptionist sees, too
