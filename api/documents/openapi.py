"""The OpenAPI 3.1 document, made of the table of endpoints and the models that they read and write."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from inspect import cleandoc
from itertools import groupby
from sys import modules
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from api.documents.examples import example
from api.http.endpoints import FORM_TYPE, Endpoint, File
from api.http.identity import Access
from api.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from api.http.problems import KINDS, Code, FieldError, Problem, document
from api.http.request_reading import CONTENT_TYPE, Source
from api.http.uploads import CONTENT_TYPE as UPLOAD_TYPE

Json = dict[str, Any]
_Schemas = Mapping[tuple[tuple[str, str], JsonSchemaMode], Json]

_REQUEST_ID = "X-Request-ID"
_BYTES: Json = {"type": "string", "format": "binary"}
_REQUEST = "019aac1e-7f00-7d44-a2b6-9e1d3c5f7b88"
_REFERENCE = "#/components/schemas/{model}"
_PARAMETERS: Mapping[Source, str] = {"path": "path", "query": "query", "headers": "header"}
_BEARER: Json = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_SENT_WITH: Mapping[int, Sequence[str]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
"""Headers of problems, by status, besides the id of the request."""
_HEADERS: Mapping[str, Json] = {
    _REQUEST_ID: {
        "description": "The id of the request: the caller's own if it sent a harmless one. It leads to the log.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which the same request makes sense again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "The challenge of RFC 6750.", "schema": {"type": "string"}},
    "Location": {"description": "Where the new thing is.", "schema": {"type": "string"}},
    "Link": {
        "description": 'RFC 8288, relation "next"; missing on the last page.',
        "schema": {"type": "string"},
    },
}
_ABOUT = """\
Patients and doctors book, confirm, cancel and watch appointments. The same commands go over Socket.IO: see
`/asyncapi.json`.

Instants are RFC 3339 in UTC with `Z`; a `date` is a day of the doctor's calendar. Every error is an
`application/problem+json` (RFC 9457) whose `code` programs tell apart. A request with an `Idempotency-Key` may be sent
again, at any time, and is carried out once."""


def openapi(table: Sequence[Endpoint]) -> Json:
    """Return the document, JSON."""
    schemas, definitions = _schemas(table)
    paths: dict[str, Json] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas, definitions)
    used = _used(paths, definitions)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Clinic Hub",
            "version": version("clinic-hub"),
            "description": _ABOUT,
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in _tags(table).items()],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in definitions.items() if name in used},
            "headers": dict(_HEADERS),
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _schemas(table: Sequence[Endpoint]) -> tuple[_Schemas, dict[str, Json]]:
    """Return the schema of each thing that an endpoint takes or gives, and what they refer to."""
    wanted: list[tuple[tuple[str, str], JsonSchemaMode, TypeAdapter[Any]]] = []
    for endpoint in table:
        for source, model in endpoint.takes.items():
            wanted.append(((endpoint.name, source), "validation", TypeAdapter(model)))
        if endpoint.answer not in {type(None), File}:
            wanted.append(((endpoint.name, "answer"), "serialization", TypeAdapter(endpoint.answer)))
    schemas, rest = TypeAdapter.json_schemas(wanted, ref_template=_REFERENCE)
    return schemas, {**rest["$defs"], "Problem": _problem_schema(), "FieldError": _field_error_schema()}


def _operation(endpoint: Endpoint, schemas: _Schemas, definitions: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [_tag(endpoint)],
        "summary": endpoint.summary,
        "description": cleandoc(endpoint.handler.__doc__ or ""),
        "security": [] if endpoint.access is Access.ANYONE else [{"bearer": []}],
        "parameters": [
            parameter
            for source in endpoint.takes
            if source in _PARAMETERS
            for parameter in _parameters(source, schemas[(endpoint.name, source), "validation"], definitions)
        ],
        "responses": {
            str(endpoint.status): _success(endpoint, schemas, definitions),
            **_problems(endpoint.problems),
        },
    }
    if "body" in endpoint.takes:
        schema = schemas[(endpoint.name, "body"), "validation"]
        operation["requestBody"] = {"required": True, "content": {CONTENT_TYPE: _content(schema, definitions)}}
    if endpoint.upload is not None:
        operation["requestBody"] = {"required": True, "content": {UPLOAD_TYPE: _form(endpoint.upload)}}
    if endpoint.form is not None:
        schema = TypeAdapter(endpoint.form).json_schema(ref_template=_REFERENCE)
        operation["requestBody"] = {"required": True, "content": {FORM_TYPE: _content(schema, definitions)}}
    if endpoint.answer is File and endpoint.method == "GET":
        operation["responses"][str(HTTPStatus.NOT_MODIFIED.value)] = {
            "description": "What the caller has, by its `If-None-Match`, is what there is.",
            "headers": _referred([_REQUEST_ID]),
        }
    return operation


def _form(field: str) -> Json:
    return {
        "schema": {
            "type": "object",
            "required": [field],
            "properties": {
                field: {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
            },
        },
        "example": {field: "the bytes of the file"},
    }


def _parameters(source: Source, schema: Json, definitions: Mapping[str, Json]) -> Iterable[Json]:
    model = _resolved(schema, definitions)
    for name, given in model.get("properties", {}).items():
        yield {
            "name": name,
            "in": _PARAMETERS[source],
            "required": source == "path" or name in model.get("required", ()),
            "schema": _without_null(given),
            "example": example(_without_null(given), definitions, name),
        }


def _success(endpoint: Endpoint, schemas: _Schemas, definitions: Mapping[str, Json]) -> Json:
    answer: Json = {
        "description": HTTPStatus(endpoint.status).phrase,
        "headers": _referred([_REQUEST_ID, *endpoint.sends]),
    }
    if endpoint.answer is File:
        answer["content"] = {endpoint.gives: {"schema": _BYTES, "example": "the bytes of the file"}}
    elif endpoint.answer is not type(None):
        schema = schemas[(endpoint.name, "answer"), "serialization"]
        answer["content"] = {CONTENT_TYPE: _content(schema, definitions)}
    return answer


def _problems(codes: Sequence[Code]) -> Json:
    """Return an answer for each status, which lists its codes."""

    def status_of(code: Code) -> int:
        return KINDS[code].status

    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in group),
            "headers": _referred([_REQUEST_ID, *_SENT_WITH.get(status, ())]),
            "content": {
                PROBLEM_TYPE: {
                    "schema": {
                        "allOf": [
                            {"$ref": _REFERENCE.format(model="Problem")},
                            {"properties": {"code": {"enum": list(group)}, "status": {"const": status}}},
                        ]
                    },
                    "examples": {code: {"value": _problem_example(code)} for code in group},
                }
            },
        }
        for status, group in ((each, list(same)) for each, same in groupby(sorted(codes, key=status_of), key=status_of))
    }


def _content(schema: Json, definitions: Mapping[str, Json]) -> Json:
    return {"schema": schema, "example": example(schema, definitions)}


def _problem_example(code: Code) -> object:
    errors = [FieldError("/start", "Input should be a time like 2026-11-23T09:30:00Z", "datetime_format")]
    problem = Problem(code, f"{KINDS[code].title}.", errors=errors if code == "invalid_request" else None)
    return TypeAdapter(dict[str, Any]).validate_json(document(problem, _REQUEST))


def _problem_schema() -> Json:
    return {
        "type": "object",
        "title": "Problem",
        "description": "RFC 9457. `code` is the word for programs, `instance` leads to the line in the log.",
        "required": ["type", "title", "status", "code", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:clinic-hub:problem:"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": list(get_args(Code))},
            "detail": {"type": "string"},
            "instance": {"type": "string", "pattern": "^urn:clinic-hub:request:"},
            "errors": {"type": "array", "items": {"$ref": _REFERENCE.format(model="FieldError")}},
        },
        "unevaluatedProperties": False,
    }


def _field_error_schema() -> Json:
    return {
        **TypeAdapter(FieldError).json_schema(mode="serialization"),
        "description": cleandoc(FieldError.__doc__ or ""),
    }


def _tags(table: Sequence[Endpoint]) -> dict[str, str]:
    return {_tag(each): (modules[each.handler.__module__].__doc__ or "").partition("\n")[0] for each in table}


def _tag(endpoint: Endpoint) -> str:
    return endpoint.handler.__module__.rpartition(".")[2]


def _referred(headers: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _resolved(schema: Json, definitions: Mapping[str, Json]) -> Json:
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _without_null(schema: Json) -> Json:
    """Return the schema of a parameter: one that is not given is left out, not null."""
    match schema:
        case {"anyOf": [given, {"type": "null"}]}:
            return {**given, **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}
        case _:
            return schema


def _used(thing: object, definitions: Mapping[str, Json]) -> set[str]:
    """Return the names of the definitions that something leads to."""
    found: set[str] = set()
    ahead = [thing]
    while ahead:
        match ahead.pop():
            case {"$ref": str(reference), **rest}:
                name = reference.rpartition("/")[2]
                if name in definitions and name not in found:
                    found.add(name)
                    ahead.append(definitions[name])
                ahead += rest.values()
            case dict() as mapping:
                ahead += mapping.values()
            case list() as items:
                ahead += items
            case _:
                continue
    return found
