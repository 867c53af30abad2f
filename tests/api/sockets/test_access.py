"""Every socket command with every kind of caller, against a table written by hand."""

from datetime import timedelta
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as NotConnected

from api.documents.asyncapi import asyncapi
from api.documents.examples import example
from api.sockets.commands import COMMANDS, SocketCommand
from hub.bus.messages import SessionEnded
from hub.scheduling.values import Role, rfc3339
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import Person, SocketClinic
from tests.api.sockets.raw import until
from tests.api.test_access import tampered, token_of_a_disabled_receptionist

CALLERS = {
    "patient": "carl",
    "other patient": "dora",
    "doctor": "ada",
    "other doctor": "ben",
    "receptionist": "robin",
}
SLOT = rfc3339(opening(1))
OURS: dict[str, Any] = {"appointmentId": "{appointment}"}
ROWS: list[tuple[str, dict[str, Any], tuple[str, str, str, str, str]]] = [
    # patient, other patient, doctor, other doctor, receptionist
    (
        "book",
        {"doctorId": "doctor-ada", "start": SLOT},
        ("ok", "ok", "invalid_request", "forbidden", "invalid_request"),
    ),
    (
        "book",
        {"doctorId": "doctor-ada", "start": SLOT, "patientId": "patient-carl"},
        ("ok", "forbidden", "ok", "forbidden", "ok"),
    ),
    ("confirm", OURS, ("ok", "not_found", "ok", "not_found", "ok")),
    ("cancel", OURS, ("ok", "not_found", "ok", "not_found", "ok")),
    ("complete", OURS, ("forbidden", "not_found", "ok", "not_found", "ok")),
    ("check_in", OURS, ("forbidden", "not_found", "ok", "not_found", "ok")),
    ("call_in", OURS, ("forbidden", "not_found", "wrong_status", "not_found", "wrong_status")),
    ("undo_visit", OURS, ("forbidden", "not_found", "wrong_status", "not_found", "wrong_status")),
    ("reschedule", {**OURS, "start": SLOT}, ("ok", "not_found", "ok", "not_found", "ok")),
    ("accept", OURS, ("wrong_status", "not_found", "wrong_status", "not_found", "wrong_status")),
    ("decline", OURS, ("wrong_status", "not_found", "wrong_status", "not_found", "wrong_status")),
    (
        "join_waitlist",
        {"doctorId": "doctor-ada", "from": "2026-11-30", "to": "2026-12-04"},
        ("ok", "ok", "invalid_request", "forbidden", "invalid_request"),
    ),
    ("leave_waitlist", {"entryId": "{entry}"}, ("ok", "not_found", "ok", "not_found", "ok")),
    ("waitlist", {"doctorId": "doctor-ada"}, ("ok", "ok", "ok", "forbidden", "ok")),
    (
        "offer_slot",
        {"entryId": "{entry}", "start": SLOT},
        ("forbidden", "forbidden", "ok", "not_found", "ok"),
    ),
    ("watch", {"doctorId": "doctor-ada", "date": "2026-11-24"}, ("ok", "ok", "ok", "ok", "ok")),
    ("unwatch", {"doctorId": "doctor-ada", "date": "2026-11-24"}, ("ok", "ok", "ok", "ok", "ok")),
    ("board", {"date": "2026-11-24"}, ("forbidden", "forbidden", "ok", "ok", "ok")),
    (
        "board",
        {"date": "2026-11-24", "doctorId": ["doctor-ada"]},
        ("forbidden", "forbidden", "ok", "forbidden", "ok"),
    ),
    ("leave_board", {"date": "2026-11-24"}, ("forbidden", "forbidden", "ok", "ok", "ok")),
    ("sync", {}, ("ok", "ok", "ok", "ok", "ok")),
    ("sync", {"since": {"doctor-ada": 1}}, ("ok", "ok", "ok", "ok", "ok")),
    # Each doctor changes the own hours only: there is no field that names another doctor.
    ("change_hours", {"shifts": []}, ("forbidden", "forbidden", "ok", "ok", "forbidden")),
    (
        "add_time_off",
        {"start": SLOT, "end": rfc3339(opening(1, 2))},
        ("forbidden", "forbidden", "ok", "ok", "forbidden"),
    ),
    ("remove_time_off", {"timeOffId": "nothing"}, ("forbidden", "forbidden", "not_found", "not_found", "forbidden")),
    ("authenticate", {"token": "{token of carl}"}, ("ok", "forbidden", "forbidden", "forbidden", "forbidden")),
    ("authenticate", {"token": "none"}, ("invalid_token",) * 5),
]


def test_every_command_is_in_the_table_above_and_nothing_else() -> None:
    assert {command for command, _, _ in ROWS} == {command.name for command in COMMANDS}


ROLES = {Role.PATIENT: "carl", Role.DOCTOR: "ada", Role.RECEPTIONIST: "robin"}
RESTRICTED = [
    pytest.param(command, name, id=f"{command.name}-{name}")
    for command in COMMANDS
    for role, name in ROLES.items()
    if role not in command.access.roles
]
SCHEMAS = asyncapi()["components"]["schemas"]


@pytest.mark.parametrize(("command", "other"), RESTRICTED)
async def test_a_command_for_some_roles_is_forbidden_to_the_others(
    clinic: SocketClinic, command: SocketCommand, other: str
) -> None:
    """The argument is the example of the document, so every command added to the table is tested."""
    person = await clinic.person(other)
    argument = example(SCHEMAS[command.request.__name__], SCHEMAS)
    assert await person.refused(command.name, argument) == "forbidden"
    assert clinic.commands.asked == []


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("command", "argument", "answers"), ROWS, ids=lambda part: part if isinstance(part, str) else ""
)
async def test_each_caller_gets_what_the_table_says(
    clinic: SocketClinic, command: str, argument: dict[str, Any], answers: tuple[str, ...], caller: str
) -> None:
    appointment = await clinic.rest.book("carl", "ada", opening(0, half_hours=1))
    known = {"{appointment}": appointment, "{token of carl}": clinic.rest.token("carl")}
    if "{entry}" in argument.values():
        wish = {"doctorId": "doctor-ada", "from": "2026-11-24", "to": "2026-11-24"}
        known["{entry}"] = (await clinic.rest.ask("POST", "/api/v1/waitlist", "carl", json=wish)).body["id"]
    given = {name: known.get(value, value) if isinstance(value, str) else value for name, value in argument.items()}
    before = await clinic.records.appointments.last_seq("doctor-ada")
    person = await clinic.person(CALLERS[caller])

    ack = await person.ask(command, given)

    said = "ok" if ack["ok"] else ack["error"]["code"]
    assert said == answers[list(CALLERS).index(caller)]
    if command == "sync" and caller.startswith("other"):
        assert "patient-carl" not in str(ack)
    if said != "ok":
        assert await clinic.records.appointments.last_seq("doctor-ada") == before


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        ("nobody", "unauthenticated"),
        ("expired token", "token_expired"),
        ("tampered token", "invalid_token"),
        ("revoked token", "invalid_token"),
        ("disabled receptionist", "invalid_token"),
        ("first password", "password_change_required"),
    ],
)
async def test_a_client_without_a_valid_token_is_refused_with_a_code(
    clinic: SocketClinic, caller: str, code: str
) -> None:
    token = clinic.rest.token("carl")
    match caller:
        case "expired token":
            clinic.clock.forward(timedelta(minutes=16))
        case "tampered token":
            token = tampered(token)
        case "revoked token":
            ended = SessionEnded(session_id="session-of-carl", at=clinic.clock())
            clinic.rest.services.revocations.receive(ended)
        case "disabled receptionist":
            token = await token_of_a_disabled_receptionist(clinic.rest)
        case "first password":
            token = clinic.rest.token_with_a_first_password("robin")
    person = Person()
    with pytest.raises(NotConnected):
        await person.sio.connect(
            clinic.address, transports=["websocket"], auth=None if caller == "nobody" else {"token": token}
        )
    await until(lambda: person.refusal)
    assert person.refusal["data"]["code"] == code


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
async def test_after_the_log_in_has_ended_every_command_is_refused(clinic: SocketClinic, command: str) -> None:
    person = await clinic.person("carl")
    clinic.rest.services.revocations.receive(SessionEnded(session_id="session-of-carl", at=clinic.clock()))
    assert await person.refused(command, {}) == "invalid_token"
