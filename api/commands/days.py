"""A calendar day as clients write it."""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[12]\d{3}-\d\d-\d\d", re.ASCII)


def _parse(text: object) -> date:
    """Return the date in the text. Pydantic alone would accept a Unix time, and no text at all in strict JSON."""
    if isinstance(text, str) and _DATE.fullmatch(text):  # years whose midnights exist in every zone
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # for example 30 February
    raise PydanticCustomError("date_format", "Input should be a day like 2026-11-23")


Day = Annotated[date, BeforeValidator(_parse, json_schema_input_type=date)]
"""A day in the years 1000 to 2999."""
