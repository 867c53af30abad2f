"""The number of segments of a text."""

import pytest

from hub.texting.segments import outside_gsm7, segments, units


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # no character is cut in two
        ("é" * 160, 1),
        ("Á" * 70, 1),
        ("Á" * 71, 2),
        ("a" * 69 + "Á" + "a" * 64, 2),
        ("a" * 70 + "Á" + "a" * 64, 3),
        ("\N{GRINNING FACE}" * 35, 1),
        ("\N{GRINNING FACE}" * 36, 2),
        ("\N{GRINNING FACE}" * 67, 3),  # 33 fit into 67 units
        ("a" * 142 + "\N{EN DASH}", 3),
    ],
)
def test_a_text_takes_as_many_segments_as_carriers_count(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_units_are_counted_in_the_alphabet_that_the_text_needs() -> None:
    assert units("[Clinic]") == 10
    assert units("[Clínica]") == 9
    assert units("\N{GRINNING FACE}") == 2


def test_the_characters_that_gsm7_lacks_are_listed_once_each() -> None:
    assert outside_gsm7("São João, Clínica d'été [€]") == ["ã", "í"]
