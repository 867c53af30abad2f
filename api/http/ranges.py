"""Validates the two ends of a range that a client gives."""

from datetime import datetime

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


def require_order(first: tuple[str, datetime | None], last: tuple[str, datetime | None], *, may_be_empty: bool) -> None:
    """Raise a ValidationError that names both fields if the range ends before it begins.

    `first` and `last` are the fields' names in JSON and their values; None is no bound. `may_be_empty`: both may be the
    same instant. The error names both fields: either of them may be the wrong one.
    """
    (first_name, begin), (last_name, end) = first, last
    if begin is None or end is None or begin < end or (may_be_empty and begin == end):
        return
    rule = "not be after" if may_be_empty else "be before"
    what = PydanticCustomError(
        "range", "{first} should {rule} {last}", {"first": first_name, "rule": rule, "last": last_name}
    )
    raise ValidationError.from_exception_data(
        "range", [InitErrorDetails(type=what, loc=(name,), input=at) for name, at in (first, last)]
    )
