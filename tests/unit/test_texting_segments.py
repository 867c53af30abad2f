"""The number of segments of a text."""

import pytest

from hub.texting.segments import gsm7_units, segments


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


def test_units_are_counted_of_plain_text_only() -> None:
    assert gsm7_units("[Clinic]") == 10
    assert gsm7_units("a\N{RIGHT SINGLE QUOTATION MARK}") is None
