"""`sync`: a snapshot of the own appointments with its position; with the later events it equals the record."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import SocketClinic
from tests.api.sockets.conftest import OpenWith


async def change(clinic: SocketClinic, who: str, kind: str, appointment_id: str, **body: object) -> None:
    answer = await clinic.rest.ask("PATCH", f"/api/v1/appointments/{appointment_id}/{kind}", who, json=body)
    assert answer.status == 200, answer.body


async def own(clinic: SocketClinic, who: str) -> list[Any]:
    """Return the appointments as REST lists them."""
    return list((await clinic.rest.ask("GET", "/api/v1/appointments?limit=200", who)).body)


async def own_hours(clinic: SocketClinic, who: str) -> dict[str, Any]:
    """Return a doctor's hours as REST shows them."""
    answer = await clinic.rest.ask("GET", "/api/v1/doctors/me/hours", who)
    return {"calendar": answer.body["calendar"]}


async def test_a_snapshot_holds_the_own_appointments_and_their_position(clinic: SocketClinic) -> None:
    with_ada = await clinic.rest.book("carl", "ada", opening(2))
    await clinic.rest.book("carl", "ben", opening(1))
    await clinic.rest.book("dora", "ada", opening(3))
    await change(clinic, "carl", "confirm", with_ada)
    carl, ada, ben = [await clinic.person(name) for name in ("carl", "ada", "ben")]

    of_ada, of_ben = {clinic.id("ada"): 3}, {clinic.id("ben"): 1}
    for name, person, position in (("carl", carl, of_ada | of_ben), ("ada", ada, of_ada), ("ben", ben, of_ben)):
        assert await person.ask("sync", {}) == {
            "ok": True,
            "mode": "snapshot",
            "appointments": await own(clinic, name),
            "position": position,
        } | (await own_hours(clinic, name) if name != "carl" else {})


async def test_a_person_without_appointments_gets_an_empty_snapshot(clinic: SocketClinic) -> None:
    carl, ada = await clinic.person("carl"), await clinic.person("ada")
    empty = {"ok": True, "mode": "snapshot", "appointments": []}
    assert await carl.ask("sync", {}) == {**empty, "position": {}}
    assert await ada.ask("sync") == {**empty, "position": {clinic.id("ada"): 0}, **await own_hours(clinic, "ada")}


@pytest.mark.parametrize("since", [[], 5, {"a b": 1}, {"ada": -1}, {"ada": "1"}, {"ada": 1.5}, {"ada": None}])
async def test_an_invalid_position_is_refused(clinic: SocketClinic, since: object) -> None:
    carl = await clinic.person("carl")
    assert await carl.refused("sync", {"since": since}) == "invalid_request"


async def test_what_is_long_past_is_left_out_and_yesterday_is_not(clinic: SocketClinic) -> None:
    past = await clinic.rest.book("carl", "ada", opening(1))
    recent = await clinic.rest.book("carl", "ada", opening(2))
    ahead = await clinic.rest.book("carl", "ada", opening(3))
    clinic.clock.forward(timedelta(days=2, hours=12))
    carl = await clinic.person("carl")
    shown = [appointment["id"] for appointment in (await carl.ask("sync", {}))["appointments"]]
    assert past not in shown
    assert shown == [recent, ahead]


async def test_a_snapshot_of_many_pages_is_whole(open_with: OpenWith) -> None:
    clinic = await open_with(record_page=3)
    for number in range(10):
        await clinic.rest.book("carl", "ada", opening(1, number))
    ada = await clinic.person("ada")
    assert (await ada.ask("sync", {}))["appointments"] == await own(clinic, "ada")


Moment = Callable[[], Awaitable[None]]
LOADED = ["any_before 1", "starting_since 1", "events_after 1"]
READS = {("ada", "cold"): LOADED, ("ada", "warm"): ["events_after 1"]}
# Carl has two doctors, and follows both.
READS["carl", "cold"] = ["doctors_of 1", *LOADED, "any_before 2", "starting_since 2", "events_after 2"]
READS["carl", "warm"] = ["doctors_of 1", "events_after 1", "events_after 2"]
MOMENTS = [(*case, f"{when} {read}") for case, reads in READS.items() for read in reads for when in "<>"]


def around_reads(clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch, moment: str, run: Moment) -> list[str]:
    """Run something once, before (<) or after (>) the first or second call of a read. Returns the calls made."""
    calls: list[str] = []

    def around(name: str) -> Callable[..., Awaitable[Any]]:
        read = getattr(clinic.records.appointments, name)

        async def called(*args: object, **options: object) -> Any:
            turn = 1 + sum(call.startswith(f"< {name}") for call in calls)
            await note(f"< {name} {turn}")
            answer = await read(*args, **options)
            await note(f"> {name} {turn}")
            return answer

        return called

    async def note(call: str) -> None:
        calls.append(call)
        if call == moment:
            monkeypatch.undo()  # what runs now reads, too
            await run()

    for name in ("last_seq", "doctors_of", "page", "any_before", "starting_since", "events_after"):
        monkeypatch.setattr(clinic.records.appointments, name, around(name))
    return calls


@pytest.mark.parametrize(("who", "views", "moment"), MOMENTS)
@pytest.mark.parametrize("bus", ["quick", "slow"])
async def test_a_snapshot_and_the_later_events_are_the_record_whenever_things_happen(
    clinic: SocketClinic, monkeypatch: pytest.MonkeyPatch, *, who: str, views: str, moment: str, bus: str
) -> None:
    """Something is booked, moved, confirmed and cancelled in the middle of the reads."""
    moved = await clinic.rest.book("carl", "ada", opening(2, 3))
    cancelled = await clinic.rest.book("carl", "ada", opening(1, 1))
    await clinic.rest.book("carl", "ben", opening(3))
    client = await clinic.raw(who)
    if views == "warm":
        await client.ask("sync", {})

    async def meanwhile() -> None:
        clinic.commands.held = bus == "slow"  # its notices come after the answer
        await change(clinic, "carl", "reschedule", moved, start=opening(1, 0).isoformat())
        await change(clinic, "carl", "cancel", cancelled)
        await clinic.rest.book("carl", "ada", opening(1, 1))
        await change(clinic, "carl", "confirm", moved)

    calls = around_reads(clinic, monkeypatch, moment, meanwhile)
    await client.send('421["sync",{}]')
    texts = [await client.receive("4")]
    while not texts[-1].startswith("431"):
        texts.append(await client.receive("4"))
    assert moment in calls
    clinic.commands.release()
    await client.send('422["end"]')
    while not texts[-1].startswith("432"):
        texts.append(await client.receive("4"))

    [answer] = [json.loads(text[3:])[0] for text in texts if text.startswith("431")]
    events = [json.loads(text[2:])[1] for text in texts if text.startswith("42")]
    assert answer["ok"], answer
    state = {appointment["id"]: appointment for appointment in answer["appointments"]}
    for event in events:
        appointment = event["appointment"]
        if event["seq"] > answer["position"].get(appointment["doctorId"], 0):
            assert state.get(appointment["id"], {"version": 0})["version"] == appointment["version"] - 1
            state[appointment["id"]] = appointment
    assert state == {appointment["id"]: appointment for appointment in await own(clinic, who)}


async def test_an_answer_is_as_new_as_the_record_however_late_the_bus_is(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    clinic.commands.held = True
    booked = await clinic.rest.book("carl", "ada", opening(1))
    answer = await carl.ask("sync", {})
    assert [appointment["id"] for appointment in answer["appointments"]] == [booked]
    assert answer["position"] == {clinic.id("ada"): 1}
    clinic.commands.release()
    await carl.settled()
    assert [event["seq"] for event in carl.of("appointment")] == [1]  # the client has it: seq 1 is not above 1


async def test_two_syncs_at_once_are_answered_in_order(clinic: SocketClinic) -> None:
    client = await clinic.raw("ada")
    await client.send('421["sync",{}]')
    await client.send('422["sync",{}]')
    assert (await client.receive("43")).startswith("431[")
    assert (await client.receive("43")).startswith("432[")
