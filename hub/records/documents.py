"""How a value becomes a document of MongoDB, and a document a value again."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from hub.records.errors import BrokenRecord
from hub.scheduling.values import Value

Document = dict[str, Any]
V = TypeVar("V", bound=Value)


def to_document(value: Value) -> Document:
    """Return the value with camelCase names, native datetimes and `_id` for `id`; a field that is None is left out."""
    fields = value.model_dump(by_alias=True, exclude_none=True)
    return {"_id": fields.pop("id"), **fields}


def from_document(kind: type[V], document: Mapping[str, Any]) -> V:
    """Return the value that `to_document` made the document of. Raises `BrokenRecord` if it cannot be one."""
    fields = {**_absent(kind), **document}
    fields["id"] = fields.pop("_id")
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        # Without the input: it may be an address or a password hash, and messages end up in logs.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        lines = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        raise BrokenRecord(f"the {kind.__name__.lower()} {fields['id']} in the database is broken: {lines}") from None


@cache
def _absent(kind: type[Value]) -> dict[str, None]:
    """Return None for each field without a default: what was None when it was written is not in the document."""
    return {str(field.alias): None for field in kind.model_fields.values() if field.is_required()}
