"""Describes the problems of an endpoint in the OpenAPI document."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from inspect import cleandoc
from itertools import groupby
from typing import Any, get_args

from pydantic import TypeAdapter

from api.documents.json_schemas import REFERENCE, Json
from api.documents.response_headers import REQUEST_ID, header_references
from api.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from api.http.problems import KINDS, Code, FieldError, Problem, document

_EXAMPLE_REQUEST_ID = "019aac1e-7f00-7d44-a2b6-9e1d3c5f7b88"
_SENT_WITH: Mapping[int, Sequence[str]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
"""The additional headers of problems, by status."""


def problem_responses(codes: Sequence[Code]) -> Json:
    """Return one response for each status, with the codes that have this status."""

    def status_of(code: Code) -> int:
        return KINDS[code].status

    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in group),
            "headers": header_references([REQUEST_ID, *_SENT_WITH.get(status, ())]),
            "content": {
                PROBLEM_TYPE: {
                    "schema": {
                        "allOf": [
                            {"$ref": REFERENCE.format(model="Problem")},
                            {"properties": {"code": {"enum": list(group)}, "status": {"const": status}}},
                        ]
                    },
                    "examples": {code: {"value": _problem_example(code)} for code in group},
                }
            },
        }
        for status, group in ((each, list(same)) for each, same in groupby(sorted(codes, key=status_of), key=status_of))
    }


def _problem_example(code: Code) -> object:
    errors = [FieldError("/start", "Input should be a time like 2026-11-23T09:30:00Z", "datetime_format")]
    problem = Problem(code, f"{KINDS[code].title}.", errors=errors if code == "invalid_request" else None)
    return TypeAdapter(dict[str, Any]).validate_json(document(problem, _EXAMPLE_REQUEST_ID))


def problem_schema() -> Json:
    """Return the schema of a problem document."""
    return {
        "type": "object",
        "title": "Problem",
        "description": "RFC 9457. `code` is for programs; `instance` holds the request id, which the log has too.",
        "required": ["type", "title", "status", "code", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:clinic-hub:problem:"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": list(get_args(Code))},
            "detail": {"type": "string"},
            "instance": {"type": "string", "pattern": "^urn:clinic-hub:request:"},
            "appointmentId": {
                "type": "string",
                "description": "With `slot_taken`: the appointment that holds the slot, if it is of the same patient.",
            },
            "errors": {"type": "array", "items": {"$ref": REFERENCE.format(model="FieldError")}},
        },
        "unevaluatedProperties": False,
    }


def field_error_schema() -> Json:
    """Return the schema of one entry of `errors`."""
    return {
        **TypeAdapter(FieldError).json_schema(mode="serialization"),
        "description": cleandoc(FieldError.__doc__ or ""),
    }
