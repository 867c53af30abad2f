"""How many segments a text takes. Carriers count, charge and pace by segment; GSM 03.38 says what fits in one."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters behind an escape, which takes a unit of its own."""
_GSM7 = (160, 153)
_UCS2 = (70, 67)
"""Units in a text of one segment, and in each of several, where a header takes the rest."""


def gsm7_units(text: str) -> int | None:
    """Return how many 7-bit units a text takes; None when it has a character that GSM-7 has not."""
    if not all(character in _BASIC or character in _EXTENDED for character in text):
        return None
    return sum(_gsm7_width(character) for character in text)


def segments(text: str) -> int:
    """Return how many segments a text takes: one character outside GSM-7 makes all of it UCS-2."""
    plain = gsm7_units(text) is not None
    alone, in_parts = _GSM7 if plain else _UCS2
    widths = [_gsm7_width(character) if plain else len(character.encode("utf-16-be")) // 2 for character in text]
    if sum(widths) <= alone:
        return 1
    parts, room = 1, in_parts
    for width in widths:  # no character is cut in two
        if width > room:
            parts, room = parts + 1, in_parts
        room -= width
    return parts


def _gsm7_width(character: str) -> int:
    return 2 if character in _EXTENDED else 1
