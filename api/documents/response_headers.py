"""The headers of answers, as the OpenAPI document describes them."""

from collections.abc import Iterable, Mapping

from api.documents.json_schemas import Json

REQUEST_ID = "X-Request-ID"

HEADERS: Mapping[str, Json] = {
    REQUEST_ID: {
        "description": "The id of the request, also in the log. It is the caller's own if that is safe to log.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which the same request may be sent again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "The challenge of RFC 6750.", "schema": {"type": "string"}},
    "Location": {"description": "The path of the new resource.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "Sent only when the request is a repetition under the same `Idempotency-Key`. The answer is "
        "the result of the first time, also if something else has changed since.",
        "schema": {"const": "true"},
    },
    "Link": {
        "description": 'RFC 8288, relation "next"; not on the last page.',
        "schema": {"type": "string"},
    },
}


def header_references(headers: Iterable[str]) -> Json:
    """Return the references to these headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
