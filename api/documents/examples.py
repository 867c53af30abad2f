"""Makes examples for the documents from their schemas, so that every field has one, also a new field."""

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

DOCTOR_ID: Final = "019aac1e-6a00-7e10-8a3d-0c5b9f4d2e11"
PATIENT_ID: Final = "019aac1e-6b7c-7f20-b1c4-5d8e7a9f3c22"

_NAMED: Mapping[str, object] = {
    "id": "019aac1e-6d2f-7c3b-9d51-3f0c2a7b8e40",
    "doctorId": DOCTOR_ID,
    "patientId": PATIENT_ID,
    "appointmentId": "019aac1e-6d2f-7c3b-9d51-3f0c2a7b8e40",
    "commandId": "my-first-booking",
    "Idempotency-Key": "my-first-booking",
    "If-Position": f"{DOCTOR_ID}=41",
    "start": "2026-11-30T09:00:00Z",
    "end": "2026-11-30T09:30:00Z",
    "from": "2026-11-30T00:00:00Z",
    "to": "2026-12-07T00:00:00Z",
    "createdAt": "2026-11-22T18:04:11.250Z",
    "visit": "in_room",
    "arrivedAt": "2026-11-30T08:52:40Z",
    "inRoomAt": "2026-11-30T09:04:10Z",
    "completedAt": None,
    "expiresAt": "2026-11-23T08:15:00Z",
    "now": "2026-11-23T08:00:00Z",
    "unixMs": 1795420800000,
    "date": "2026-11-30",
    "weekday": 0,
    "opens": 540,
    "closes": 1020,
    "name": "Amara Okafor",
    "email": "amara@clinic.example",
    "phone": "+12025550123",
    "password": "four-words-of-yours",
    "zone": "Europe/Berlin",
    "specialty": "general practice",
    "q": "okaf",
    "reason": "Follow-up of last month",
    "version": 1,
    "limit": 50,
    "cursor": "WyIyMDI2LTExLTMwVDA5OjAwOjAwWiIsIjAxOWEiXQ",
    "expiresIn": 900,
    "accessToken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlhIn0.c2lnbmF0dXJl",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlhIn0.c2lnbmF0dXJl",
    "refreshToken": "019aac1e-6e10-7a00.c2VjcmV0",
    "where": "127.0.0.1:27017",
    "AccountSid": "AC00000000000000000000000000000000",
    "MessageSid": "SM00000000000000000000000000000000",
    "From": "+12025550123",
    "To": "+12025550100",
    "Body": "1",
    "MessageStatus": "delivered",
    "seq": 42,
    "prev": 41,
    "since": {DOCTOR_ID: 41},
    "position": {DOCTOR_ID: 42},
}
"""The example of every field of this name, in any schema."""

_OF_FORMAT: Mapping[str, str] = {
    "password": "four-words-of-yours",
    "date-time": "2026-11-30T09:00:00Z",
    "date": "2026-11-30",
}
_OF_TYPE: Mapping[str, object] = {"boolean": True, "string": "text", "null": None}


def example(schema: Schema, definitions: Mapping[str, Schema], name: str = "") -> object:
    """Return a value that the schema allows. `definitions` are the targets of its references, by name.

    The first of the schema's own `examples` is used; without them, the example of the field's `name`.
    """
    match schema:
        case {"$ref": str(reference)}:
            return example(definitions[reference.rpartition("/")[2]], definitions, name)
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case _ if name in _NAMED:
            return _NAMED[name]
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]} | {"allOf": [first, *_]}:
            return example(first, definitions, name)
        case _:
            return _of_type(schema, definitions)


def _of_type(schema: Schema, definitions: Mapping[str, Schema]) -> object:
    match schema:
        case {"properties": properties}:
            return {key: example(each, definitions, key) for key, each in properties.items()}
        case {"type": "object", "additionalProperties": dict(values)}:
            return {"key": example(values, definitions)}
        case {"type": "array", "items": items}:
            return [example(items, definitions)]
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case _:
            return _OF_FORMAT.get(schema.get("format", ""), _OF_TYPE.get(schema.get("type", "")))
