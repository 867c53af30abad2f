"""`sync {since}`: the missed events, from views or the record: all of them, once, and none of other people."""

import json
from typing import Any

import pytest

from api.sockets.sync import OLDER
from hub.bus.messages import Notice
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import SocketClinic
from tests.api.sockets.conftest import OpenWith
from tests.api.sockets.test_sync import around_reads, change, own


def nothing_comes(_: Notice) -> None:
    """Lose every notice of the bus."""


async def test_a_resume_tells_what_was_missed_as_it_would_have_been_told_live(clinic: SocketClinic) -> None:
    watching = {name: await clinic.person(name) for name in ("ada", "carl")}
    position = {name: (await person.ask("sync", {}))["position"] for name, person in watching.items()}
    first = await clinic.rest.book("carl", "ada", opening(1))
    await change(clinic, "carl", "reschedule", first, start=opening(2).isoformat())
    await clinic.rest.book("carl", "ben", opening(3))
    await change(clinic, "carl", "cancel", first)
    for name, person in watching.items():
        await person.settled()
        answer = await (await clinic.person(name)).ask("sync", {"since": position[name]})
        assert (answer["ok"], answer["mode"]) == (True, "resume")
        live = sorted(person.of("appointment"), key=lambda told: (told["appointment"]["doctorId"], told["seq"]))
        assert answer["events"] == live
        assert len(live) == (3 if name == "ada" else 4)


async def test_a_resume_does_not_need_the_bus(clinic: SocketClinic) -> None:
    carl = await clinic.person("carl")
    since = (await carl.ask("sync", {}))["position"]
    clinic.commands.receive = nothing_comes
    await clinic.rest.book("carl", "ada", opening(1))
    answer = await carl.ask("sync", {"since": since})
    assert [(event["type"], event["seq"], event["prev"]) for event in answer["events"]] == [("booked", 1, 0)]
    assert answer["position"] == {clinic.id("ada"): 1}


async def test_a_client_at_the_current_position_missed_nothing(clinic: SocketClinic) -> None:
    await clinic.rest.book("carl", "ada", opening(1))
    for name in ("carl", "ada"):
        person = await clinic.person(name)
        position = {clinic.id("ada"): 1}
        answer = await person.ask("sync", {"since": position})
        assert answer == {"ok": True, "mode": "resume", "events": [], "position": position}


async def test_a_patient_is_told_nothing_of_other_patients_and_goes_on_from_where_the_doctor_stands(
    clinic: SocketClinic,
) -> None:
    ada = clinic.id("ada")
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.rest.book("dora", "ada", opening(2))
    mine = await clinic.rest.book("carl", "ada", opening(3))
    await clinic.rest.book("dora", "ada", opening(4))
    answer = await (await clinic.person("carl")).ask("sync", {"since": {ada: 1}})
    assert [(event["appointment"]["id"], event["seq"]) for event in answer["events"]] == [(mine, 3)]
    assert answer["position"] == {ada: 4}


async def test_a_resume_holds_all_events_of_a_doctor_who_is_new_to_the_patient(clinic: SocketClinic) -> None:
    ada, ben = clinic.id("ada"), clinic.id("ben")
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.rest.book("dora", "ben", opening(1))
    await clinic.rest.book("carl", "ben", opening(2))
    answer = await (await clinic.person("carl")).ask("sync", {"since": {ada: 1}})
    assert answer["mode"] == "resume"
    assert [(event["appointment"]["doctorId"], event["seq"]) for event in answer["events"]] == [(ben, 2)]
    assert answer["position"] == {ada: 1, ben: 2}


async def test_the_position_of_a_snapshot_holds_doctors_whose_appointments_are_too_old_to_be_in_it(
    clinic: SocketClinic,
) -> None:
    await clinic.rest.book("carl", "ada", opening(1))
    clinic.clock.now = opening(10)
    carl = await clinic.person("carl")
    answer = await carl.ask("sync", {})
    assert (answer["appointments"], answer["position"]) == ([], {clinic.id("ada"): 1})
    assert (await carl.ask("sync", {"since": answer["position"]}))["events"] == []


@pytest.mark.parametrize(
    ("who", "since"),
    [
        ("ada", {}),
        ("ada", {"doctor-ben": 0}),
        ("ada", {"doctor-ada": 1, "doctor-ben": 1}),
        ("ada", {"doctor-ada": 3}),
        ("carl", {"doctor-ada": 3}),
        ("carl", {"doctor-ben": 0}),
        ("carl", {"doctor-ada": 1, "nobody": 0}),
    ],
)
async def test_an_impossible_position_gets_a_snapshot(clinic: SocketClinic, who: str, since: dict[str, int]) -> None:
    """A doctor who is not the person's, and a `seq` that the doctor has not reached, as after a restored backup."""
    await clinic.rest.book("carl", "ada", opening(1))
    await clinic.rest.book("carl", "ada", opening(2))
    answer = await (await clinic.person(who)).ask("sync", {"since": since})
    assert answer["mode"] == "snapshot"
    assert answer["appointments"] == await own(clinic, who)
    assert answer["position"] == {"doctor-ada": 2}


@pytest.mark.parametrize("who", ["ada", "carl"])
async def test_a_client_too_far_behind_gets_a_snapshot(open_with: OpenWith, who: str) -> None:
    clinic = await open_with(resume_events=3)
    for number in range(4):
        await clinic.rest.book("carl", "ada", opening(1, number))
    person = await clinic.person(who)
    assert (await person.ask("sync", {"since": {"doctor-ada": 1}}))["mode"] == "resume"
    assert (await person.ask("sync", {"since": {"doctor-ada": 0}}))["mode"] == "snapshot"


async def test_what_is_older_than_the_journal_is_read_from_the_record(clinic: SocketClinic) -> None:
    reading = await clinic.rest.services.views.doctor(clinic.id("ada"))
    assert reading
    reading.view.journal.capacity = 3
    people = {name: await clinic.person(name) for name in ("ada", "carl", "robin")}
    since = {name: (await person.ask("sync", {}))["position"] for name, person in people.items()}
    for number in range(3):
        await clinic.rest.book("carl", "ada", opening(1, number))
    older, first = OLDER._value.get(), {}
    for name, person in people.items():
        first[name] = await person.ask("sync", {"since": since[name]})
        assert [event["seq"] for event in first[name]["events"]] == [1, 2, 3]
    assert OLDER._value.get() == older  # the journal reaches as far as that
    await clinic.rest.book("dora", "ada", opening(1, 3))
    for name, person in people.items():
        answer = await person.ask("sync", {"since": since[name]})
        seqs = [event["seq"] for event in answer["events"]]
        assert (answer["mode"], seqs) == ("resume", [1, 2, 3] if name == "carl" else [1, 2, 3, 4])
        assert answer["position"][clinic.id("ada")] == 4
        assert answer["events"][:3] == first[name]["events"]
    assert OLDER._value.get() == older + 3


LOADED = ["any_before 1", "starting_since 1", "events_after 1"]
READS = {("ada", "journal"): ["events_after 1"], ("ada", "record"): [*LOADED, "events_after 2"]}
READS["carl", "journal"] = ["doctors_of 1", "events_after 1", "events_after 2"]
READS["carl", "record"] = [
    "doctors_of 1",
    *LOADED,
    "events_after 2",
    "last_seq 1",
    "page 1",
    "page 2",
    "events_after 3",
]
MOMENTS = [(*case, f"{when} {read}") for case, reads in READS.items() for read in reads for when in "<>"]


@pytest.mark.parametrize(("who", "source", "moment"), MOMENTS)
async def test_a_resume_and_the_later_events_are_the_record_whenever_things_happen(
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch, who: str, source: str, moment: str
) -> None:
    """Something is booked, moved and cancelled in the middle of the reads, also with a new doctor; pages are of one."""
    clinic = await open_with(record_page=1)
    moved = await clinic.rest.book("carl", "ada", opening(2, 3))
    await clinic.rest.book("carl", "ben", opening(3))
    since = (await (await clinic.person(who)).ask("sync", {}))["position"]
    state = {appointment["id"]: appointment for appointment in await own(clinic, who)}
    cancelled = await clinic.rest.book("carl", "ada", opening(1, 1))
    client = await clinic.raw(who)

    async def meanwhile() -> None:
        await change(clinic, "carl", "reschedule", moved, start=opening(1, 0).isoformat())
        await change(clinic, "carl", "cancel", cancelled)
        await clinic.rest.book("carl", "ada", opening(1, 1))

    if source == "record":
        clinic.feed.state.incarnation += 1  # the views are read again, so their journals begin now
    calls = around_reads(clinic, monkeypatch, moment, meanwhile)
    await client.send(f'421["sync",{json.dumps({"since": since})}]')
    texts = [await client.receive("4")]
    while not texts[-1].startswith("431"):
        texts.append(await client.receive("4"))
    assert moment in calls
    await client.send('422["end"]')
    while not texts[-1].startswith("432"):
        texts.append(await client.receive("4"))

    [answer] = [json.loads(text[3:])[0] for text in texts if text.startswith("431")]
    live = [json.loads(text[2:])[1] for text in texts if text.startswith("42")]
    assert answer["mode"] == "resume"
    apply(state, answer["events"], since)
    apply(state, live, answer["position"])
    assert state == {appointment["id"]: appointment for appointment in await own(clinic, who)}


def apply(state: dict[str, Any], events: list[Any], position: dict[str, int]) -> None:
    """Apply the events above the position, as a client does; each has to follow the state."""
    last = dict(position)
    for event in events:
        appointment = event["appointment"]
        if event["seq"] > last.get(appointment["doctorId"], 0):
            assert state.get(appointment["id"], {"version": 0})["version"] == appointment["version"] - 1
            state[appointment["id"]] = appointment
            last[appointment["doctorId"]] = event["seq"]
