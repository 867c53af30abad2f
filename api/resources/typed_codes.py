"""Codes as people type them: blanks and hyphens do not count, because apps and phones show "123 456"."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field


def _as_meant(code: object) -> object:
    return re.sub(r"[\s-]", "", code) if isinstance(code, str) else code


Digits = Annotated[
    str,
    BeforeValidator(_as_meant),
    Field(pattern=r"^[0-9]{6}$", description="The six digits of the text.", examples=["123456"]),
]
SecondFactorCode = Annotated[str, BeforeValidator(_as_meant), Field(min_length=6, max_length=40, examples=["123456"])]
