"""`watch`: the slots of a day, then every later change, once and in order, without the patient."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest

from hub.records.errors import StoreUnavailable
from hub.scheduling.values import rfc3339
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import LIMITS, SocketClinic
from tests.api.sockets.raw import Raw, until

TUESDAY = "2026-11-24"


def day(clinic: SocketClinic, date: str = TUESDAY, doctor: str = "ada") -> dict[str, str]:
    return {"doctorId": clinic.id(doctor), "date": date}


def free(answer: Any) -> set[str]:
    """Return the starts of the free slots in an ack of `watch`."""
    return {slot["start"] for slot in answer["slots"] if slot["available"]}


def at(half_hours: int) -> str:
    """Return the start of a slot on that Tuesday, as JSON has it."""
    return rfc3339(opening(1, half_hours))


async def test_the_ack_holds_the_slots_of_the_day_as_rest_shows_them(clinic: SocketClinic) -> None:
    await clinic.rest.book("carl", "ada", opening(1, 2))
    dora = await clinic.person("dora")
    answer = await dora.ask("watch", day(clinic))
    rest = await clinic.rest.ask("GET", f"/api/v1/doctors/{clinic.id('ada')}/slots", "dora", params={"date": TUESDAY})
    assert answer == {"ok": True, "slots": rest.body, "position": {clinic.id("ada"): 1}}
    assert len(answer["slots"]) == 16
    assert {slot["start"] for slot in answer["slots"]} - free(answer) == {at(2)}


async def test_a_watcher_sees_every_change_of_the_day_and_nothing_about_who(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    await dora.ask("watch", day(clinic))
    first = await clinic.rest.book("carl", "ada", opening(1, 0))
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/confirm", "carl")
    await clinic.rest.ask(
        "PATCH", f"/api/v1/appointments/{first}/reschedule", "carl", json={"start": opening(1, 4).isoformat()}
    )
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/cancel", "carl")
    await dora.settled()
    ada = clinic.id("ada")
    assert dora.events == [
        ("slot", {"doctorId": ada, "start": at(0), "available": False, "seq": 1}),
        ("slot", {"doctorId": ada, "start": at(0), "available": True, "seq": 3}),
        ("slot", {"doctorId": ada, "start": at(4), "available": False, "seq": 3}),
        ("slot", {"doctorId": ada, "start": at(4), "available": True, "seq": 4}),
    ]


async def test_other_days_and_other_doctors_are_not_told(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    await dora.ask("watch", day(clinic))
    await clinic.rest.book("carl", "ada", opening(2))
    await clinic.rest.book("carl", "ben", opening(1))
    await dora.settled()
    assert dora.events == []


async def test_a_watch_follows_the_doctor_until_it_ends(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    for date in (TUESDAY, TUESDAY, "2026-11-25"):
        assert (await dora.ask("watch", day(clinic, date)))["ok"]
    assert clinic.followed() == {clinic.id("ada"): 2}
    assert await dora.ask("unwatch", day(clinic)) == {"ok": True}
    assert await dora.ask("unwatch", day(clinic)) == {"ok": True}
    assert clinic.followed() == {clinic.id("ada"): 1}
    await clinic.rest.book("carl", "ada", opening(1))
    await dora.settled()
    assert dora.events == []
    await dora.sio.disconnect()
    await until(lambda: clinic.followed() == {})


async def test_an_unknown_doctor_cannot_be_watched(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    assert await dora.refused("watch", {"doctorId": "nobody", "date": TUESDAY}) == "not_found"
    assert await dora.refused("watch", {"doctorId": clinic.id("carl"), "date": TUESDAY}) == "not_found"


@pytest.mark.parametrize("date", ["2026-02-30", "24.11.2026", "2026-11-24T00:00:00Z", 20261124, "0001-01-01", None])
async def test_an_invalid_day_cannot_be_watched(clinic: SocketClinic, date: object) -> None:
    dora = await clinic.person("dora")
    assert await dora.refused("watch", {"doctorId": clinic.id("ada"), "date": date}) == "invalid_request"


async def test_a_client_watches_a_limited_number_of_days(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    days = [f"2027-{month:02}-{number:02}" for month in (1, 2, 3) for number in range(1, 29)]
    for date in days[: LIMITS.watches]:
        assert (await dora.ask("watch", day(clinic, date)))["ok"]
    assert await dora.refused("watch", day(clinic, days[LIMITS.watches])) == "too_many_requests"
    await dora.ask("unwatch", day(clinic, days[0]))
    assert (await dora.ask("watch", day(clinic, days[LIMITS.watches])))["ok"]


async def test_a_watch_that_fails_leaves_nothing_behind(clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    dora = await clinic.person("dora")

    async def fails(*_: object) -> None:
        raise StoreUnavailable("down")

    for name in ("last_seq", "starting_since", "events_after"):
        with monkeypatch.context() as patch:
            patch.setattr(clinic.records.appointments, name, fails)
            assert await dora.refused("watch", day(clinic)) == "unavailable"
        assert clinic.followed() == {}
        assert not clinic.gateway.sessions.watches(clinic.id("ada"))


Moment = Callable[[], Awaitable[None]]


class Between:
    """Runs a function between the reads that a watch makes."""

    def __init__(self, clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moments: dict[str, Moment] = {}
        for name in ("last_seq", "starting_since", "events_after"):
            monkeypatch.setattr(clinic.records.appointments, name, self._around(clinic, name))

    def _around(self, clinic: SocketClinic, name: str) -> Callable[..., Awaitable[Any]]:
        read = getattr(clinic.records.appointments, name)

        async def around(*args: object) -> Any:
            if moment := self.moments.pop(f"before {name}", None):
                await moment()
            answer = await read(*args)
            if moment := self.moments.pop(f"after {name}", None):
                await moment()
            return answer

        return around


MOMENTS = [
    "before last_seq",
    "after last_seq",
    "before starting_since",
    "after starting_since",
    "before events_after",
    "after events_after",
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("bus", ["quick", "slow"])
async def test_no_change_is_lost_or_told_twice_whenever_it_happens(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch, moment: str, bus: str
) -> None:
    """During the watch's reads one slot is taken, one freed, and one taken and freed again."""
    taken_before = await clinic.rest.book("carl", "ada", opening(1, 5))
    dora = await clinic.raw("dora")
    between = Between(clinic, monkeypatch)

    async def meanwhile() -> None:
        clinic.commands.held = bus == "slow"  # its notices come after the answer
        await clinic.rest.book("carl", "ada", opening(1, 1))
        await clinic.rest.ask("PATCH", f"/api/v1/appointments/{taken_before}/cancel", "carl")
        back_and_forth = await clinic.rest.book("carl", "ada", opening(1, 9))
        await clinic.rest.ask("PATCH", f"/api/v1/appointments/{back_and_forth}/cancel", "carl")

    between.moments[moment] = meanwhile
    answer = await dora.ask("watch", day(clinic))
    assert between.moments == {}
    clinic.commands.release()
    await clinic.rest.book("carl", "ada", opening(1, 12))

    seen = await slots_until(dora, opening(1, 12))
    expected = {at(number) for number in range(16)} - {at(1), at(12)}
    assert apply(free(answer), seen) == expected
    # What the answer holds is not told again: a slot told is one that changes, each time.
    state = free(answer)
    for change in seen:
        assert (change["start"] in state) is not change["available"], (change, moment)
        state = apply(state, [change])


async def test_a_change_is_not_told_before_the_answer_and_the_next_one_is_told_after_it(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = await clinic.raw("dora")
    between = Between(clinic, monkeypatch)

    async def book_one() -> None:
        await clinic.rest.book("carl", "ada", opening(1, 1))

    between.moments["after events_after"] = book_one
    await dora.send(f'421["watch",{json.dumps(day(clinic))}]')
    first = await dora.receive("4")
    assert first.startswith("431[")
    assert at(1) not in free(json.loads(first[3:])[0])
    await clinic.rest.book("carl", "ada", opening(1, 2))
    assert json.loads((await dora.receive("4"))[2:])[1]["start"] == at(2)


async def test_every_watcher_ends_with_the_true_slots(clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watches begin at random while slots change; every view equals the record at the end."""
    watchers = [await clinic.raw("dora") for _ in range(20)]
    suspend_reads(clinic, monkeypatch)

    async def change() -> None:
        for number in range(55):
            booked = await clinic.rest.book("carl", "ada", opening(1, number * 7 % 15))
            await clinic.rest.ask("PATCH", f"/api/v1/appointments/{booked}/cancel", "carl")
        await clinic.rest.book("carl", "ada", opening(1, 15))

    async def watch(client: Raw, turns: int) -> tuple[Any, list[Any]]:
        for _ in range(turns * 20):
            await asyncio.sleep(0)
        answer = await client.ask("watch", day(clinic))
        return answer, await slots_until(client, opening(1, 15))

    views = await asyncio.gather(change(), *(watch(client, turns) for turns, client in enumerate(watchers)))
    for answer, seen in views[1:]:
        state = free(answer)
        for change_ in seen:
            assert (change_["start"] in state) is not change_["available"]
            state = apply(state, [change_])
        assert state == {at(number) for number in range(15)}
    assert len({len(seen) for _, seen in views[1:]}) > 5  # they did begin at different moments


def suspend_reads(clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reads of a watch suspend for different times, as with a real database."""
    count = 0

    def suspending(name: str) -> Callable[..., Awaitable[Any]]:
        read = getattr(clinic.records.appointments, name)

        async def suspended(*args: object) -> Any:
            nonlocal count
            count += 1
            for _ in range(count % 5):
                await asyncio.sleep(0)
            answer = await read(*args)
            for _ in range(count % 7):
                await asyncio.sleep(0)
            return answer

        return suspended

    for name in ("last_seq", "starting_since", "events_after"):
        monkeypatch.setattr(clinic.records.appointments, name, suspending(name))


async def slots_until(client: Raw, start: datetime) -> list[Any]:
    """Return the slot events up to the one that takes `start`."""
    seen: list[Any] = []
    while not seen or seen[-1] != {**seen[-1], "start": rfc3339(start), "available": False}:
        seen.append(json.loads((await client.receive("42"))[2:])[1])
    return seen


def apply(state: set[str], changes: list[Any]) -> set[str]:
    for change in changes:
        state = state | {change["start"]} if change["available"] else state - {change["start"]}
    return state
