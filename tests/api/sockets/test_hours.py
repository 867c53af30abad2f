"""A doctor's own hours over the sockets: commands, what the doctor is told, and what watchers are sent."""

from typing import Any

import pytest

from hub.bus.replay import replayed
from hub.ops.doctor_accounts import disable
from hub.scheduling.values import rfc3339
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import Person, SocketClinic

TUESDAY = "2026-11-24"
AFTERNOONS = [{"weekday": weekday, "opens": 13 * 60, "closes": 17 * 60} for weekday in range(5)]
ALL_DAY = [{"weekday": weekday, "opens": 8 * 60, "closes": 17 * 60} for weekday in range(5)]


def at(half_hours: int) -> str:
    return rfc3339(opening(1, half_hours))


def seen(person: Person) -> dict[str, bool]:
    """Return the last state of each slot that a watcher was sent."""
    return {slot["start"]: slot["available"] for slot in person.of("slot")}


def shown(answer: Any) -> dict[str, bool]:
    return {slot["start"]: slot["available"] for slot in answer["slots"]}


async def rest_slots(clinic: SocketClinic) -> dict[str, bool]:
    path = f"/api/v1/doctors/{clinic.id('ada')}/slots"
    return shown({"slots": (await clinic.rest.ask("GET", path, "dora", params={"date": TUESDAY})).body})


def order(person: Person) -> list[tuple[str, int, int]]:
    """Return the events that a doctor was sent, in order."""
    told = [data for event, data in person.events if event in {"appointment", "calendar"}]
    return [(data["type"], data["seq"], data["prev"]) for data in told]


async def test_a_doctor_changes_the_own_hours_as_over_rest(clinic: SocketClinic) -> None:
    ada = await clinic.person("ada")
    booked = await clinic.rest.book("carl", "ada", opening(1))
    changed = await ada.ask("change_hours", {"shifts": AFTERNOONS, "commandId": "hours"})
    again = await ada.ask("change_hours", {"shifts": AFTERNOONS, "commandId": "hours"})
    assert again == {**changed, "replayed": True}
    rest = (await clinic.rest.ask("GET", "/api/v1/doctors/me/hours", "ada")).body
    assert changed == {"ok": True, **rest}
    assert [appointment["id"] for appointment in changed["outside"]] == [booked]
    entered = await ada.ask("add_time_off", {"start": at(8), "end": at(10), "note": "Dentist"})
    assert (entered["ok"], entered["timeOff"]["start"]) == (True, at(8))
    removal = {"timeOffId": entered["timeOff"]["id"], "commandId": "back"}
    assert await ada.ask("remove_time_off", removal) == {"ok": True}
    assert await ada.ask("remove_time_off", removal) == {"ok": True, "replayed": True}
    assert await ada.refused("remove_time_off", {"timeOffId": entered["timeOff"]["id"]}) == "not_found"
    assert (
        await ada.refused("change_hours", {"shifts": AFTERNOONS[:1], "commandId": "hours"}) == "idempotency_key_reused"
    )


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("change_hours", {"shifts": AFTERNOONS}),
        ("add_time_off", {"start": at(0), "end": at(2)}),
        ("remove_time_off", {"timeOffId": "any"}),
    ],
)
async def test_only_a_doctor_has_hours(clinic: SocketClinic, command: str, argument: object) -> None:
    carl = await clinic.person("carl")
    assert await carl.refused(command, argument) == "forbidden"
    assert await carl.refused(command, {}) == "invalid_request"
    assert await clinic.records.appointments.last_seq(clinic.id("ada")) == 0


async def test_the_doctor_is_told_in_one_order_with_the_appointments_and_nobody_else_is(clinic: SocketClinic) -> None:
    ada, there, ben, carl = [await clinic.person(name) for name in ("ada", "ada", "ben", "carl")]
    first = await clinic.rest.book("carl", "ada", opening(1))
    await ada.ask("change_hours", {"shifts": AFTERNOONS})
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/confirm", "carl")
    entered = await ada.ask("add_time_off", {"start": at(8), "end": at(10)})
    await ada.ask("remove_time_off", {"timeOffId": entered["timeOff"]["id"]})
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/cancel", "carl")
    for person in (ada, there, ben, carl):
        await person.settled()
    whole = [
        ("booked", 1, 0),
        ("hours_changed", 2, 1),
        ("confirmed", 3, 2),
        ("time_off_added", 4, 3),
        ("time_off_removed", 5, 4),
        ("cancelled", 6, 5),
    ]
    assert order(ada) == order(there) == whole
    assert order(ben) == []
    assert order(carl) == [whole[0], whole[2], whole[5]]
    told = ada.of("calendar")
    assert [event["calendar"]["shifts"] for event in told] == [AFTERNOONS] * 3
    assert [len(event["calendar"]["timeOff"]) for event in told] == [0, 1, 0]
    assert told[1]["calendar"]["timeOff"] == [entered["timeOff"]]
    assert clinic.feed._followed[clinic.id("ada")].mending is None


async def test_watchers_see_slots_appear_and_go(clinic: SocketClinic) -> None:
    early, held = (
        await clinic.rest.book("carl", "ada", opening(1)),
        await clinic.rest.book("carl", "ada", opening(1, 9)),
    )
    dora, far = await clinic.person("dora"), await clinic.person("dora")
    before = shown(await dora.ask("watch", {"doctorId": clinic.id("ada"), "date": TUESDAY}))
    await far.ask("watch", {"doctorId": clinic.id("ada"), "date": "2026-11-29"})
    ada = await clinic.person("ada")

    await ada.ask("change_hours", {"shifts": AFTERNOONS})
    await dora.settled()
    assert seen(dora) == dict.fromkeys(map(at, range(1, 8)), False)  # not the first: it was taken already
    dora.events.clear()
    await ada.ask("change_hours", {"shifts": ALL_DAY})
    await dora.settled()
    assert seen(dora) == {at(-2): True, at(-1): True, at(0): False} | dict.fromkeys(map(at, range(1, 8)), True)
    dora.events.clear()
    await ada.ask("add_time_off", {"start": at(9), "end": at(11)})
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{held}/cancel", "carl")
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{early}/cancel", "carl")
    await dora.settled()
    assert seen(dora) == {at(9): False, at(10): False, at(0): True}
    assert before.keys() | {at(-2), at(-1)} == {*(await rest_slots(clinic)), at(9), at(10)}
    await far.settled()
    assert far.of("slot") == []


async def test_watchers_see_no_free_slot_of_a_disabled_doctor(clinic: SocketClinic) -> None:
    dora = await clinic.person("dora")
    before = shown(await dora.ask("watch", {"doctorId": clinic.id("ada"), "date": TUESDAY}))
    await disable(clinic.records, clinic.id("ada"), clinic.clock)
    # Nobody tells of what the command line wrote; the feed finds it in the record.
    past = await clinic.records.appointments.events_after(clinic.id("ada"), 0)
    for notice in await replayed(clinic.records, clinic.id("ada"), past):
        clinic.feed.receive(notice)
    await dora.settled()
    assert seen(dora) == dict.fromkeys(before, False)


async def test_a_watch_and_later_events_are_the_day_whenever_hours_change(clinic: SocketClinic) -> None:
    """The hours change during each read that a watch makes, and right after the watch."""
    ada = clinic.id("ada")
    store, users = clinic.records.appointments, clinic.records.users
    names = ["events_after", "starting_since", "last_seq", "schedule_records"]
    for number, name in enumerate([*names, "by_id", None]):
        dora = await clinic.person("dora")
        owner = users if name == "by_id" else store
        real = getattr(owner, name) if name else None

        async def change(real: Any = real, owner: Any = owner, name: Any = name, number: int = number) -> None:
            if name:
                setattr(owner, name, real)
            shifts = AFTERNOONS if number % 2 else ALL_DAY
            answer = await clinic.rest.ask("PUT", "/api/v1/doctors/me/hours", "ada", json={"shifts": shifts})
            assert answer.status == 200

        async def meddled(*args: Any, change: Any = change, real: Any = real) -> Any:
            await change()
            return await real(*args)

        clinic.feed.state.incarnation += 1  # as after the loss of the broker: the view is read again
        if name:
            setattr(owner, name, meddled)
        answer = await dora.ask("watch", {"doctorId": ada, "date": TUESDAY})
        assert name is None or getattr(owner, name) == real, f"{name} was not read"
        if name is None:
            await change()
        await dora.settled()
        day = shown(answer) | seen(dora)
        truly = await rest_slots(clinic)
        assert {start: free for start, free in day.items() if start in truly} == truly, name
        assert not any(free for start, free in day.items() if start not in truly), name
        await dora.sio.disconnect()


async def test_a_sync_holds_the_changes_of_hours_that_a_doctor_missed(clinic: SocketClinic) -> None:
    first = await clinic.rest.book("carl", "ada", opening(1))
    ada = await clinic.person("ada")
    position = (await ada.ask("sync", {}))["position"]
    assert position == {clinic.id("ada"): 1}
    await ada.ask("change_hours", {"shifts": AFTERNOONS})
    await clinic.rest.ask("PATCH", f"/api/v1/appointments/{first}/confirm", "carl")
    await ada.ask("add_time_off", {"start": at(8), "end": at(10)})
    await ada.settled()
    told = [data for event, data in ada.events if event in {"appointment", "calendar"}]

    answer = await ada.ask("sync", {"since": position})
    assert (answer["mode"], answer["position"]) == ("resume", {clinic.id("ada"): 4})
    assert answer["events"] == told
    snapshot = await ada.ask("sync", {})
    assert snapshot["calendar"] == told[-1]["calendar"]
    carl = await clinic.person("carl")
    assert "calendar" not in await carl.ask("sync", {})
    resumed = await carl.ask("sync", {"since": position})
    assert [event["type"] for event in resumed["events"]] == ["confirmed"]
