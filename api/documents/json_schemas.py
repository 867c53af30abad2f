"""Helpers for the JSON schemas of a document and their references."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"


def resolved(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """Return the definition that the schema refers to, or the schema itself."""
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def without_null(schema: Json) -> Json:
    """Return the schema of a parameter without null: an optional parameter is left out, never null."""
    match schema:
        case {"anyOf": [given, {"type": "null"}]}:
            return {**given, **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}
        case _:
            return schema


def used_definitions(part: object, definitions: Mapping[str, Json]) -> set[str]:
    """Return the names of all definitions that a part of the document refers to, directly or not."""
    found: set[str] = set()
    pending = [part]
    while pending:
        match pending.pop():
            case {"$ref": str(reference), **rest}:
                name = reference.rpartition("/")[2]
                if name in definitions and name not in found:
                    found.add(name)
                    pending.append(definitions[name])
                pending += rest.values()
            case dict() as mapping:
                pending += mapping.values()
            case list() as items:
                pending += items
            case _:
                continue
    return found
