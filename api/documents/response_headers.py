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
    "ETag": {
        "description": "Changes when the answer changes. Sent back as `If-None-Match`, it is answered with 304.",
        "schema": {"type": "string"},
    },
    "Position": {
        "description": "The last event of each doctor that the answer holds, as `doctorId=seq, …`, for `If-Position`.",
        "schema": {"type": "string"},
    },
    "Age": {
        "description": "Seconds since the answer was last known to be complete. Sent only while the database does not "
        "answer.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Warning": {
        "description": "RFC 7234, code 111: the answer could not be compared with the database. Sent with `Age`.",
        "schema": {"type": "string"},
    },
    "Set-Cookie": {
        "description": "The cookie with the refresh token of a page, for `/api/v1/browser` only: `HttpOnly`, "
        "`SameSite=Strict`, and `Secure` except in development over plain HTTP.",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "Suggests a name for the file.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'RFC 8288, relation "next"; not on the last page.',
        "schema": {"type": "string"},
    },
}


def header_references(headers: Iterable[str]) -> Json:
    """Return the references to these headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
