"""The AsyncAPI 3.0 document of the sockets: each command with its ack, each event, and what can go wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

from pydantic.json_schema import models_json_schema

from api.documents.examples import example
from api.http.problems import KINDS, Code
from api.sockets import inbound, outbound
from hub.scheduling.values import Value

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_CHANNEL = "#/channels/default"
_REFUSED = "refused"
_ABOUT = """\
The same commands as over REST, and every change the moment it is in the record.

Connect with a Socket.IO client (protocol 5) over WebSocket only, with `auth: {token}`, an access token of the REST api.
A connection that is not let in gets `connect_error` with `data: {code, detail}`. Each command has one argument, an
object, and an ack: `{ok: true, …}`, or `{ok: false, error: {code, detail, errors?, retryAfter?}}`. The commands of one
client are carried out in the order they came. A command with a `commandId` may be sent again and is carried out once.
They count as writes together with those over REST: with `too_many_requests` comes after how many seconds to go on."""


@dataclass(frozen=True)
class Command:
    """A command of clients: what it does, its argument, the acks that it may have when it was carried out."""

    does: str
    argument: type[Value]
    acks: tuple[type[Value], ...]


COMMANDS: Mapping[str, Command] = {
    "book": Command("Take a slot.", inbound.Book, (outbound.WithAppointment,)),
    "confirm": Command("Say that the patient will come.", inbound.Change, (outbound.WithAppointment,)),
    "cancel": Command("Call the appointment off; its slot is free again.", inbound.Change, (outbound.WithAppointment,)),
    "complete": Command("Say that the patient was there; for doctors.", inbound.Change, (outbound.WithAppointment,)),
    "reschedule": Command(
        "Move the appointment to another slot of the same doctor, or leave it as it is.",
        inbound.Reschedule,
        (outbound.WithAppointment,),
    ),
    "change_hours": Command(
        "Replace one's own weekly hours; for doctors.", inbound.ChangeHours, (outbound.WithCalendar,)
    ),
    "add_time_off": Command("Enter time off; for doctors.", inbound.AddTimeOff, (outbound.WithTimeOff,)),
    "remove_time_off": Command("Take time off back; for doctors.", inbound.RemoveTimeOff, (outbound.Nothing,)),
    "watch": Command("Be told of each change of the slots of a doctor's day.", inbound.Watch, (outbound.WithSlots,)),
    "unwatch": Command("End a watch; it is no error if there is none.", inbound.Watch, (outbound.Nothing,)),
    "sync": Command(
        "Get what one missed, or all of one's own appointments.",
        inbound.Sync,
        (outbound.WithEvents, outbound.WithSnapshot),
    ),
    "authenticate": Command("Replace the token before it ends.", inbound.Authenticate, (outbound.WithExpiry,)),
}
"""By event name."""

EVENTS: Mapping[str, type[Value]] = {
    "appointment": outbound.AppointmentChanged,
    "calendar": outbound.CalendarChanged,
    "slot": outbound.SlotChanged,
    "token_expiring": outbound.TokenExpiring,
    "closing": outbound.Closing,
}
"""What a client is told, by event name."""


def asyncapi() -> Json:
    """Return the document, JSON."""
    schemas = _schemas()
    messages = _messages(schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Clinic Hub, live", "version": version("clinic-hub"), "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "localhost:8000",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "Socket.IO over WebSocket, at the address of the REST api.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": {
            "default": {
                "address": "/",
                "title": "The default namespace",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": _operations(),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The access token, in `auth: {token}`."}
            },
        },
    }


def _schemas() -> dict[str, Json]:
    read = {command.argument for command in COMMANDS.values()}
    written = {ack for command in COMMANDS.values() for ack in command.acks} | set(EVENTS.values()) | {outbound.Refused}
    _, rest = models_json_schema(
        [
            *((model, "validation") for model in _ordered(read)),
            *((model, "serialization") for model in _ordered(written)),
        ],
        ref_template=_REFERENCE,
    )
    definitions: dict[str, Json] = rest["$defs"]
    definitions["AppointmentChanged"]["properties"]["type"]["enum"] = list(outbound.HAPPENED)
    definitions["CalendarChanged"]["properties"]["type"]["enum"] = list(outbound.REARRANGED)
    definitions["Error"]["properties"]["code"]["enum"] = list(outbound.CODES)
    definitions["Error"]["required"] = ["code", "detail"]  # without wrong fields there is no `errors`
    definitions["Error"]["properties"]["retryAfter"].pop("default")
    return definitions


def _ordered(models: Iterable[type[Value]]) -> list[type[Value]]:
    return sorted(models, key=lambda model: model.__name__)


def _messages(schemas: Mapping[str, Json]) -> dict[str, Json]:
    messages: dict[str, Json] = {}
    for name, command in COMMANDS.items():
        messages[name] = _message(name, command.does, schemas, command.argument)
        about = " Or: ".join(cleandoc(ack.__doc__ or "") for ack in command.acks)
        messages[f"{name}.ack"] = _message(f"{name}.ack", about, schemas, *command.acks)
    for name, model in EVENTS.items():
        messages[name] = _message(name, cleandoc(model.__doc__ or ""), schemas, model)
    refused = _message(_REFUSED, cleandoc(outbound.Refused.__doc__ or ""), schemas, outbound.Refused)
    messages[_REFUSED] = {**refused, "examples": [_refusal(code) for code in outbound.CODES]}
    return messages


def _message(name: str, about: str, schemas: Mapping[str, Json], *models: type[Value]) -> Json:
    """Return a message whose payload is of one of the models."""
    payloads = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in models]
    return {
        "name": name,
        "title": name,
        "summary": about,
        "payload": payloads[0] if len(payloads) == 1 else {"oneOf": payloads},
        "examples": [{"name": name, "payload": example(schemas[model.__name__], schemas)} for model in models],
    }


def _refusal(code: Code) -> Json:
    error: Json = {"code": code, "detail": f"{KINDS[code].title}."}
    if code == "invalid_request":
        error["errors"] = [{"pointer": "/start", "detail": "Field required", "code": "missing"}]
    if code == "too_many_requests":
        error["retryAfter"] = 12
    return {"name": code, "summary": KINDS[code].title, "payload": {"ok": False, "error": error}}


def _operations() -> dict[str, Json]:
    operations: dict[str, Json] = {
        name: {
            "action": "receive",
            "title": name,
            "summary": command.does,
            "channel": {"$ref": _CHANNEL},
            "messages": [_in_channel(name)],
            "reply": {"channel": {"$ref": _CHANNEL}, "messages": [_in_channel(f"{name}.ack"), _in_channel(_REFUSED)]},
        }
        for name, command in COMMANDS.items()
    }
    for name, model in EVENTS.items():
        operations[name] = {
            "action": "send",
            "title": name,
            "summary": cleandoc(model.__doc__ or ""),
            "channel": {"$ref": _CHANNEL},
            "messages": [_in_channel(name)],
        }
    return operations


def _in_channel(message: str) -> Json:
    return {"$ref": f"{_CHANNEL}/messages/{message}"}
