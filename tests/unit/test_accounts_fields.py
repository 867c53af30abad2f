"""The fields of an account that people type."""

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.accounts.fields import Name

NAME: TypeAdapter[str] = TypeAdapter(Name)


@pytest.mark.parametrize(
    "name", ["Zoë Müller-Łukasz", "  Ann  ", "王小明", "عائشة", "O'Brien, Anna", "Ana \N{ZERO WIDTH JOINER}x"]
)
def test_names_of_all_scripts_are_taken(name: str) -> None:
    assert NAME.validate_python(name) == name.strip()


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00",
        "\n",
        "\x7f",
        "\x9b",
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "\N{LEFT-TO-RIGHT EMBEDDING}",
        "\N{RIGHT-TO-LEFT ISOLATE}",
        "\N{POP DIRECTIONAL ISOLATE}",
        "\N{RIGHT-TO-LEFT MARK}",
        "\N{ARABIC LETTER MARK}",
        "\N{LINE SEPARATOR}",
    ],
)
def test_a_name_has_no_control_characters_also_not_those_that_turn_a_line_around(hidden: str) -> None:
    with pytest.raises(ValidationError, match="without control characters"):
        NAME.validate_python(f"Ann{hidden}Bob")
