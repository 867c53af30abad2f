"""The AsyncAPI 3.0 document of the sockets: each command with its acks and error codes, and each event.

It is made from the command table (`api.sockets.commands`) and the events (`api.sockets.outbound`).
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from inspect import cleandoc
from typing import Any
from urllib.parse import urlsplit

from pydantic.json_schema import models_json_schema

from api.documents.descriptions import describe_fields
from api.documents.examples import example
from api.http.problems import KINDS, Code
from api.sockets.commands import COMMANDS, SocketCommand
from api.sockets.outbound import (
    APPOINTMENT_EVENT_TYPES,
    CODES,
    EVENTS,
    SCHEDULE_EVENT_TYPES,
    WAITLIST_EVENT_TYPES,
    RefusedAck,
)
from hub.scheduling.values import Value

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_CHANNEL = "#/channels/default"
_REFUSED = "refused"
_DESCRIPTION = """\
The same commands as over REST, and every change as soon as it is stored.

Connect with a Socket.IO client (protocol 5) over WebSocket only, with `auth: {token}`, an access token of the REST api.
A refused connection gets `connect_error` with `data: {code, detail}`. Each command has one argument, an object, and an
ack: `{ok: true, …}`, or `{ok: false, error: {code, detail, errors?, retryAfter?, appointmentId?}}`. The server carries
out the commands of one client in the order in which they arrive. A command with a `commandId` may be sent again; it is
carried out once, and the ack of the repetition is that of the first time with `replayed: true`.
Commands that write share a rate limit with writes over REST: the ack `too_many_requests` says in `retryAfter` after how
many seconds to send the command again."""


def asyncapi(commands: Sequence[SocketCommand] = COMMANDS) -> Json:
    """Return the document of these commands, without `servers`."""
    schemas = _schemas(commands)
    messages = _messages(commands, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Clinic Hub, live", "version": version("clinic-hub"), "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "default": {
                "address": "/",
                "title": "The default namespace",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": _operations(commands),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The access token, in `auth: {token}`."}
            },
        },
    }


def asyncapi_servers(base_url: str) -> Json:
    """Return the one server, of an api with this base URL."""
    url = urlsplit(base_url)
    return {
        "here": {
            "host": url.netloc,
            "pathname": f"{url.path}/socket.io/",
            "protocol": "wss" if url.scheme == "https" else "ws",
            "description": "Socket.IO over WebSocket, at the address of the REST api.",
            "security": [{"$ref": "#/components/securitySchemes/token"}],
        }
    }


def _schemas(commands: Sequence[SocketCommand]) -> dict[str, Json]:
    inbound = {command.request for command in commands}
    outbound = {ack for command in commands for ack in command.acks} | set(EVENTS.values()) | {RefusedAck}
    _, rest = models_json_schema(
        [
            *((model, "validation") for model in _ordered(inbound)),
            *((model, "serialization") for model in _ordered(outbound)),
        ],
        ref_template=_REFERENCE,
    )
    definitions: dict[str, Json] = rest["$defs"]
    definitions["AppointmentChanged"]["properties"]["type"]["enum"] = list(APPOINTMENT_EVENT_TYPES)
    definitions["CalendarChanged"]["properties"]["type"]["enum"] = list(SCHEDULE_EVENT_TYPES)
    definitions["WaitingChanged"]["properties"]["type"]["enum"] = list(WAITLIST_EVENT_TYPES)
    definitions["Error"]["properties"]["code"]["enum"] = list(CODES)
    definitions["Error"]["required"] = ["code", "detail"]  # `errors` is left out when no field is wrong
    for definition in definitions.values():
        for sent_sometimes in ("retryAfter", "appointmentId", "replayed"):
            definition.get("properties", {}).get(sent_sometimes, {}).pop("default", None)
    describe_fields({"schemas": definitions})
    return definitions


def _ordered(models: Iterable[type[Value]]) -> list[type[Value]]:
    return sorted(models, key=lambda model: model.__name__)


def _messages(commands: Sequence[SocketCommand], schemas: Mapping[str, Json]) -> dict[str, Json]:
    messages: dict[str, Json] = {}
    for command in commands:
        name = command.name
        messages[name] = _message(name, command.summary, schemas, command.request)
        summary = " Or: ".join(cleandoc(ack.__doc__ or "") for ack in command.acks)
        messages[f"{name}.ack"] = _message(f"{name}.ack", summary, schemas, *command.acks)
    for event, model in EVENTS.items():
        messages[event] = _message(event, cleandoc(model.__doc__ or ""), schemas, model)
    refused = _message(_REFUSED, cleandoc(RefusedAck.__doc__ or ""), schemas, RefusedAck)
    messages[_REFUSED] = {**refused, "examples": [_refused_example(code) for code in CODES]}
    return messages


def _message(name: str, summary: str, schemas: Mapping[str, Json], *models: type[Value]) -> Json:
    """Return a message whose payload is one of the models."""
    payloads = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in models]
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "payload": payloads[0] if len(payloads) == 1 else {"oneOf": payloads},
        "examples": [{"name": name, "payload": example(schemas[model.__name__], schemas)} for model in models],
    }


def _refused_example(code: Code) -> Json:
    error: Json = {"code": code, "detail": f"{KINDS[code].title}."}
    if code == "invalid_request":
        error["errors"] = [{"pointer": "/start", "detail": "Field required", "code": "missing"}]
    if code == "too_many_requests":
        error["retryAfter"] = 12
    return {"name": code, "summary": KINDS[code].title, "payload": {"ok": False, "error": error}}


def _operations(commands: Sequence[SocketCommand]) -> dict[str, Json]:
    operations: dict[str, Json] = {
        command.name: {
            "action": "receive",
            "title": command.name,
            "summary": command.summary,
            "description": _operation_description(command),
            "channel": {"$ref": _CHANNEL},
            "messages": [_in_channel(command.name)],
            "reply": {
                "channel": {"$ref": _CHANNEL},
                "messages": [_in_channel(f"{command.name}.ack"), _in_channel(_REFUSED)],
            },
        }
        for command in commands
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


def _operation_description(command: SocketCommand) -> str:
    codes = f"Error codes: {', '.join(command.problems)}."
    return f"Only {command.access.names} may send it. {codes}" if command.access.of_some_roles else codes


def _in_channel(message: str) -> Json:
    return {"$ref": f"{_CHANNEL}/messages/{message}"}
