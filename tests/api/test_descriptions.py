"""Every field of both documents is described in a sentence, and none has the title that its name was turned into."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.app import TABLE
from api.documents.asyncapi import asyncapi
from api.documents.openapi import openapi

DOCUMENTS = {"OpenAPI": openapi(TABLE), "AsyncAPI": asyncapi()}


def fields(part: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place and the content of every field and every parameter of the document."""
    match part:
        case dict():
            yield from ((f"{path}/{name}", field) for name, field in part.get("properties", {}).items())
            yield from ((f"{path}/{each['name']}", each) for each in part.get("parameters", ()))
            for key, each in part.items():
                if key not in {"example", "examples"}:
                    yield from fields(each, f"{path}/{key}")
        case list():
            for number, each in enumerate(part):
                yield from fields(each, f"{path}/{number}")
        case _:
            return


def described(part: dict[str, Any]) -> bool:
    return bool((part.get("description") or "").rstrip().endswith("."))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_field_model_and_header_has_a_description_in_a_sentence(document: str) -> None:
    found = dict(fields(DOCUMENTS[document]))
    assert len(found) > 80
    assert [path for path, field in found.items() if not described(field)] == []
    components = DOCUMENTS[document]["components"]
    for named in (components["schemas"], components.get("headers", {})):
        assert [name for name, part in named.items() if not described(part)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_field_has_a_title_made_of_its_name(document: str) -> None:
    titled = [path for path, field in fields(DOCUMENTS[document]) if "title" in {**field, **field.get("schema", {})}]
    assert titled == []
