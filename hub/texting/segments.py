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


def outside_gsm7(text: str) -> list[str]:
    """Return the characters that GSM-7 lacks, each once, in the order of the text."""
    return list(dict.fromkeys(each for each in text if each not in _BASIC and each not in _EXTENDED))


def units(text: str) -> int:
    """Return how many units a text takes: 7-bit units of GSM-7, or 16-bit units of UCS-2 if GSM-7 is not enough."""
    return sum(_widths(text))


def segments(text: str) -> int:
    """Return how many segments a text takes. One character outside GSM-7 makes the whole text UCS-2."""
    single, multi = _UCS2 if outside_gsm7(text) else _GSM7
    widths = _widths(text)
    if sum(widths) <= single:
        return 1
    count, room = 1, multi
    for width in widths:  # a character is never split across segments
        if width > room:
            count, room = count + 1, multi
        room -= width
    return count


def _widths(text: str) -> list[int]:
    if outside_gsm7(text):
        return [len(character.encode("utf-16-be")) // 2 for character in text]
    return [2 if character in _EXTENDED else 1 for character in text]
