"""Counts the segments of a text. Carriers charge and limit by segment; GSM 03.38 defines what fits in one."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters that need an escape, so they take two units."""
_GSM7 = (160, 153)
_UCS2 = (70, 67)
"""Units that fit in a single segment, and in each of several segments, where a header takes the rest."""


def gsm7_units(text: str) -> int | None:
    """Return how many 7-bit units a text takes, or None if GSM-7 lacks one of its characters."""
    if not all(character in _BASIC or character in _EXTENDED for character in text):
        return None
    return sum(_gsm7_width(character) for character in text)


def segments(text: str) -> int:
    """Return how many segments a text takes. One character outside GSM-7 makes the whole text UCS-2."""
    is_gsm7 = gsm7_units(text) is not None
    single, multi = _GSM7 if is_gsm7 else _UCS2
    widths = [_gsm7_width(character) if is_gsm7 else len(character.encode("utf-16-be")) // 2 for character in text]
    if sum(widths) <= single:
        return 1
    count, room = 1, multi
    for width in widths:  # a character is never split across segments
        if width > room:
            count, room = count + 1, multi
        room -= width
    return count


def _gsm7_width(character: str) -> int:
    return 2 if character in _EXTENDED else 1
