"""The AsyncAPI document is valid and complete, and describes what clients are sent."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft7Validator, ValidationError

from api.documents.asyncapi import asyncapi, asyncapi_servers
from api.http.identity import Access
from api.sockets.commands import COMMANDS, SocketCommand
from api.sockets.dispatch import Dispatch
from api.sockets.inbound import Watch
from api.sockets.outbound import CODES, EVENTS, EmptyAck, EventName
from api.sockets.session import Session
from tests.api.documented import validator
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import Person, SocketClinic
from tests.stack import until

DOCUMENT = {**asyncapi(), "servers": asyncapi_servers("https://clinic.example")}
NAMES = {command.name for command in COMMANDS}
SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "asyncapi-3.0.0.json").read_text())


def holds(message: str, payload: object) -> None:
    """Fail when the message is not as the document says."""
    validator(DOCUMENT["components"]["messages"][message]["payload"], DOCUMENT).validate(payload)


def references(thing: object) -> Iterator[str]:
    match thing:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for each in thing.values():
                yield from references(each)
        case list():
            for each in thing:
                yield from references(each)


class Listener:
    """A person whose acks and events are all validated against the document."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.asked: set[str] = set()
        self.heard: set[str] = set()

    async def ask(self, command: str, **argument: object) -> dict[str, Any]:
        holds(command, argument)
        self.asked.add(command)
        answer: dict[str, Any] = await self.person.ask(command, argument)
        holds(f"{command}.ack", answer)
        return answer

    async def listen(self) -> None:
        await self.person.settled()
        for event, data in self.person.events:
            self.heard.add(event)
            holds(event, data)


def test_the_document_is_valid() -> None:
    Draft7Validator(SCHEMA).validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_example_is_one_that_its_schema_allows() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        assert message["examples"]
        for example in message["examples"]:
            holds(name, example["payload"])


async def test_the_document_holds_exactly_the_commands_of_the_dispatch(clinic: SocketClinic) -> None:
    carried_out = clinic.gateway._dispatch.commands
    assert carried_out.keys() == NAMES
    for name, command in carried_out.items():
        operation = DOCUMENT["operations"][name]
        assert operation["summary"] == command.summary
        [argument] = [message["$ref"].rpartition("/")[2] for message in operation["messages"]]
        payload = DOCUMENT["components"]["messages"][argument]["payload"]
        assert payload["$ref"].rpartition("/")[2] == command.request.__name__
    received = {name for name, operation in DOCUMENT["operations"].items() if operation["action"] == "receive"}
    assert received == NAMES


async def test_a_command_added_to_the_table_is_documented_and_carried_out(clinic: SocketClinic) -> None:
    async def jump(_handlers: object, _session: Session, request: Watch) -> dict[str, object]:
        """Jump to a day."""
        return {"doctor": request.doctor_id}

    table = [*COMMANDS, replace(COMMANDS[0], request=Watch, acks=(EmptyAck,), writes=False, handler=jump)]
    document = asyncapi(table)
    assert document["operations"]["jump"]["summary"] == "Jump to a day."
    assert document["components"]["messages"]["jump"]["payload"] == {"$ref": "#/components/schemas/Watch"}
    assert "jump" not in DOCUMENT["operations"]

    served = clinic.gateway._dispatch
    dispatch = Dispatch(table, served._handlers, served._require_login, served._write_rate_limit, served._limits)
    await clinic.person("carl")
    [session] = clinic.gateway.sessions
    argument = {"doctorId": "doctor-ada", "date": "2026-11-24"}
    assert await dispatch.run(session, "jump", [argument]) == {"ok": True, "doctor": "doctor-ada"}
    assert (await served.run(session, "jump", [argument]))["error"]["code"] == "unknown_event"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_says_what_it_does_and_which_codes_it_may_be_refused_with(command: SocketCommand) -> None:
    assert command.summary.endswith(".")
    assert command.acks
    assert set(command.problems) <= set(CODES)
    description = DOCUMENT["operations"][command.name]["description"]
    assert all(code in description for code in command.problems)
    assert ("Only a doctor may send it." in description) is (command.access is Access.DOCTOR)


def test_the_document_holds_exactly_the_events_of_the_server() -> None:
    assert set(get_args(EventName)) == EVENTS.keys()


async def test_every_ack_and_every_event_is_as_the_document_says(clinic: SocketClinic) -> None:
    carl, ada = Listener(await clinic.person("carl")), Listener(await clinic.person("ada"))
    doctor, day = clinic.id("ada"), opening(0).date().isoformat()
    await carl.ask("watch", doctorId=doctor, date=day)
    booked = await carl.ask("book", doctorId=doctor, start=opening(0, 1).isoformat(), reason="Cough", commandId="one")
    which = booked["appointment"]["id"]
    again = await carl.ask("book", doctorId=doctor, start=opening(0, 1).isoformat(), reason="Cough", commandId="one")
    assert again["replayed"]
    await ada.ask("confirm", appointmentId=which)
    await carl.ask("reschedule", appointmentId=which, start=opening(0, 2).isoformat())
    await carl.ask("cancel", appointmentId=which)
    again = await carl.ask("book", doctorId=doctor, start=opening(0, 1).isoformat())
    for command in ("check_in", "call_in", "undo_visit", "call_in", "complete"):
        await ada.ask(command, appointmentId=again["appointment"]["id"])
    wish = {"doctorId": doctor, "from": day, "to": day}
    entry = (await carl.ask("join_waitlist", **wish))["entry"]
    for start, answer in ((3, "decline"), (4, "accept")):
        offer = await ada.ask("offer_slot", entryId=entry["id"], start=opening(0, start).isoformat())
        await carl.ask(answer, appointmentId=offer["appointment"]["id"])
    await ada.ask("waitlist")
    await carl.ask("leave_waitlist", entryId=entry["id"])
    await ada.ask("change_hours", shifts=[{"weekday": 0, "opens": 540, "closes": 600}])
    away = await ada.ask("add_time_off", start=opening(0, 1).isoformat(), end=opening(0, 2).isoformat(), note="Dentist")
    await ada.ask("remove_time_off", timeOffId=away["timeOff"]["id"])
    await ada.ask("board", date=day)
    await ada.ask("leave_board", date=day)
    await ada.ask("sync", since={doctor: 1})
    await ada.ask("sync")
    await carl.ask("sync", since={doctor: 1})
    await carl.ask("unwatch", doctorId=doctor, date=day)
    clinic.clock.forward(timedelta(minutes=14, seconds=30))
    await until_heard(carl, "token_expiring")
    await carl.ask("authenticate", token=clinic.rest.token("carl"))
    await until_heard(ada, "token_expiring")
    await carl.listen()
    await ada.listen()
    clinic.clock.forward(timedelta(seconds=31))
    await until_heard(ada, "closing")
    holds("closing", ada.person.of("closing")[0])
    assert carl.asked | ada.asked == NAMES
    assert carl.heard | ada.heard | {"closing"} == EVENTS.keys()


async def until_heard(listener: Listener, event: str) -> None:
    await until(lambda: bool(listener.person.of(event)), f"{event} is told")


@pytest.mark.parametrize(
    ("command", "argument", "code"),
    [
        ("book", {"doctorId": "doctor-ada"}, "invalid_request"),
        ("book", {"doctorId": "doctor-ada", "start": opening(0, 1).isoformat(), "patientId": "x"}, "forbidden"),
        ("book", {"doctorId": "doctor-ada", "start": opening(5).isoformat()}, "outside_hours"),
        ("book", {"doctorId": "doctor-ada", "start": opening(1).isoformat()}, "slot_taken"),
        ("cancel", {"appointmentId": "nothing"}, "not_found"),
        ("authenticate", {"token": "nothing"}, "invalid_token"),
        ("jump", {}, "unknown_event"),
    ],
)
async def test_a_refusal_is_as_the_document_says(
    clinic: SocketClinic, command: str, argument: object, code: str
) -> None:
    await clinic.rest.book("carl", "ada", opening(1))
    answer = await (await clinic.person("carl")).ask(command, argument)
    holds("refused", answer)
    assert ("appointmentId" in answer["error"]) is (code == "slot_taken")
    assert answer["error"]["code"] == code
    with pytest.raises(ValidationError):
        holds("refused", {"ok": False, "error": {**answer["error"], "code": "slot_takn"}})


def test_every_code_that_the_sockets_can_say_by_themselves_is_listed() -> None:
    sources = (Path(__file__).parents[3] / "api" / "sockets").glob("*.py")
    said = {code for source in sources for code in re.findall(r'Problem\(\s*"(\w+)"', source.read_text())}
    assert {"busy", "draining", "unknown_event"} <= said <= set(CODES)
