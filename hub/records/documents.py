"""Converts values to MongoDB documents and back."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from hub.records.errors import BrokenRecord
from hub.scheduling.values import Value

Document = dict[str, Any]
BEYOND = "\U0010ffff"
"""Sorts after every text that begins with what is before it."""
V = TypeVar("V", bound=Value)


def to_document(value: Value) -> Document:
    """Return the value with camelCase names, native datetimes and `_id` for `id`. Fields that are None are omitted."""
    fields = value.model_dump(by_alias=True, exclude_none=True)
    return {"_id": fields.pop("id"), **fields}


def from_document(kind: type[V], document: Mapping[str, Any]) -> V:
    """Return the value of a document that `to_document` created. Raises `BrokenRecord` if the document is not valid."""
    fields = {**_absent(kind), **document}
    fields["id"] = fields.pop("_id")
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        # Without the input: it may contain an address or a password hash, and error messages are logged.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        lines = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        raise BrokenRecord(
            f"the {kind.__name__.lower()} {fields['id']} in the database is not valid: {lines}"
        ) from None


@cache
def _absent(kind: type[Value]) -> dict[str, None]:
    """Return None for each required field: a field that was None when it was written is missing in the document."""
    return {str(field.alias): None for field in kind.model_fields.values() if field.is_required()}
