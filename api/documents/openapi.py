"""Makes the OpenAPI 3.1 document of the route table and of the models that the endpoints read and write."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from inspect import cleandoc
from sys import modules
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from api.documents.descriptions import describe_fields, parameter_description
from api.documents.examples import example
from api.documents.json_schemas import REFERENCE, Json, resolved, used_definitions, without_null
from api.documents.problem_responses import field_error_schema, problem_responses, problem_schema
from api.documents.response_headers import HEADERS, REQUEST_ID, header_references
from api.http.endpoints import FORM_TYPE, Endpoint, File
from api.http.identity import Access
from api.http.request_reading import CONTENT_TYPE, OptionalBody, Source
from api.http.uploads import CONTENT_TYPE as UPLOAD_TYPE

_Schemas = Mapping[tuple[tuple[str, str], JsonSchemaMode], Json]

_BYTES: Json = {"type": "string", "format": "binary"}
_PARAMETERS: Mapping[Source, str] = {"path": "path", "query": "query", "headers": "header"}
_BEARER: Json = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_SECURITY: Mapping[Access, list[Json]] = {Access.ANYONE: [], Access.VISITOR: [{}, {"bearer": []}]}
_ABOUT = """\
Patients and doctors book, confirm, cancel and watch appointments. The same commands go over Socket.IO: see
`/asyncapi.json`.

Instants are RFC 3339 in UTC with `Z`; a `date` is a day in the doctor's time zone. Every error is an
`application/problem+json` (RFC 9457) with a `code` for programs. A request with an `Idempotency-Key` may be sent
again at any time, and is carried out once: the repetition is answered with the result of the first time, and with the
header `Idempotency-Replayed: true`."""


def openapi(table: Sequence[Endpoint]) -> Json:
    """Return the document, without `servers`."""
    schemas, definitions = _schemas(table)
    paths: dict[str, Json] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas, definitions)
    used = used_definitions(paths, definitions)
    document: Json = {
        "openapi": "3.1.1",
        "info": {
            "title": "Clinic Hub",
            "version": version("clinic-hub"),
            "description": _ABOUT,
        },
        "tags": [{"name": name, "description": about} for name, about in _tags(table).items()],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in definitions.items() if name in used},
            "headers": dict(HEADERS),
            "securitySchemes": {"bearer": _BEARER},
        },
    }
    describe_fields(document)
    return document


def openapi_servers(base_url: str) -> list[Json]:
    """Return the servers. The first is relative, so that pages of any address can try requests out."""
    return [
        {"url": "/", "description": "The address of this document."},
        {"url": base_url, "description": "The address of the api, for programs that read this document from a file."},
    ]


def _schemas(table: Sequence[Endpoint]) -> tuple[_Schemas, dict[str, Json]]:
    """Return the schema of each request part and answer, and the definitions that the schemas refer to."""
    wanted: list[tuple[tuple[str, str], JsonSchemaMode, TypeAdapter[Any]]] = []
    for endpoint in table:
        for source, model in endpoint.takes.items():
            wanted.append(((endpoint.name, source), "validation", TypeAdapter(model)))
        if endpoint.answer not in {type(None), File}:
            wanted.append(((endpoint.name, "answer"), "serialization", TypeAdapter(endpoint.answer)))
        if endpoint.accepted is not None:
            wanted.append(((endpoint.name, "accepted"), "serialization", TypeAdapter(endpoint.accepted)))
    schemas, rest = TypeAdapter.json_schemas(wanted, ref_template=REFERENCE)
    return schemas, {**rest["$defs"], "Problem": problem_schema(), "FieldError": field_error_schema()}


def _operation(endpoint: Endpoint, schemas: _Schemas, definitions: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [_tag(endpoint)],
        "summary": endpoint.summary,
        "description": cleandoc(endpoint.handler.__doc__ or ""),
        "security": _SECURITY.get(endpoint.access, [{"bearer": []}]),
        "parameters": [
            parameter
            for source in endpoint.takes
            if source in _PARAMETERS
            for parameter in _parameters(
                endpoint.path, source, schemas[(endpoint.name, source), "validation"], definitions
            )
        ],
        "responses": {
            str(endpoint.status): _success(endpoint, schemas, definitions),
            **problem_responses(endpoint.problems),
        },
    }
    if endpoint.accepted is not None:
        schema = schemas[(endpoint.name, "accepted"), "serialization"]
        operation["responses"][str(HTTPStatus.ACCEPTED.value)] = {
            "description": HTTPStatus.ACCEPTED.phrase,
            "headers": header_references([REQUEST_ID]),
            "content": {CONTENT_TYPE: _content(schema, definitions)},
        }
    if "body" in endpoint.takes:
        schema = schemas[(endpoint.name, "body"), "validation"]
        required = not issubclass(endpoint.takes["body"], OptionalBody)
        operation["requestBody"] = {"required": required, "content": {CONTENT_TYPE: _content(schema, definitions)}}
    if endpoint.upload is not None:
        operation["requestBody"] = {"required": True, "content": {UPLOAD_TYPE: _form(endpoint.upload)}}
    if endpoint.form is not None:
        schema = TypeAdapter(endpoint.form).json_schema(ref_template=REFERENCE)
        operation["requestBody"] = {"required": True, "content": {FORM_TYPE: _content(schema, definitions)}}
    if endpoint.method == "GET" and (endpoint.answer is File or "ETag" in endpoint.sends):
        operation["responses"][str(HTTPStatus.NOT_MODIFIED.value)] = {
            "description": "The answer has not changed: `If-None-Match` is its ETag.",
            "headers": header_references([REQUEST_ID]),
        }
    return operation


def _form(field: str) -> Json:
    return {
        "schema": {
            "type": "object",
            "required": [field],
            "properties": {
                field: {
                    "description": "The file.",
                    "type": "string",
                    "format": "binary",
                    "contentMediaType": "application/octet-stream",
                }
            },
        },
        "example": {field: "the bytes of the file"},
    }


def _parameters(path: str, source: Source, schema: Json, definitions: Mapping[str, Json]) -> Iterable[Json]:
    model = resolved(schema, definitions)
    for name, given in model.get("properties", {}).items():
        wanted = {key: value for key, value in without_null(given).items() if key not in {"title", "description"}}
        yield {
            "name": name,
            "in": _PARAMETERS[source],
            "description": given.get("description") or parameter_description(name, path),
            "required": source == "path" or name in model.get("required", ()),
            "schema": wanted,
            "example": example(wanted, definitions, name),
        }


def _success(endpoint: Endpoint, schemas: _Schemas, definitions: Mapping[str, Json]) -> Json:
    answer: Json = {
        "description": HTTPStatus(endpoint.status).phrase,
        "headers": header_references([REQUEST_ID, *endpoint.sends]),
    }
    if endpoint.answer is File:
        answer["content"] = {endpoint.gives: {"schema": _BYTES, "example": "the bytes of the file"}}
    elif endpoint.answer is not type(None):
        schema = schemas[(endpoint.name, "answer"), "serialization"]
        answer["content"] = {endpoint.gives: _content(schema, definitions)}
    if endpoint.also_gives is not None:
        answer["content"][endpoint.also_gives] = {"schema": _BYTES, "example": "the bytes of the file"}
    return answer


def _content(schema: Json, definitions: Mapping[str, Json]) -> Json:
    return {"schema": schema, "example": example(schema, definitions)}


def _tags(table: Sequence[Endpoint]) -> dict[str, str]:
    return {_tag(each): (modules[each.handler.__module__].__doc__ or "").partition("\n")[0] for each in table}


def _tag(endpoint: Endpoint) -> str:
    return endpoint.handler.__module__.rpartition(".")[2]
