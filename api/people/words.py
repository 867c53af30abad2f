"""Names, e-mail addresses and phone numbers as the words of a search index, and a query as the words it looks for.

Accents and case do not matter. A letter with an umlaut or a stroke is also found by the two letters that people write
instead of it: "Müller" by "muller" and by "mueller", "Møller" by "moller" and by "moeller".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from hub.accounts.person import Person

_WITHOUT_ACCENT = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
    }
)
"""Letters that are no combination of a letter and an accent for Unicode. "ß" is "ss" by its case folding."""
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_APOSTROPHES = str.maketrans(dict.fromkeys("'`\u00b4\u02bc\u2018\u2019"))
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff]+")
"""Accents of Latin, Greek and Cyrillic letters, and the points of Hebrew and Arabic."""
_PARTS = re.compile(r"[^\W_]+")
_PHONE = re.compile(r"[+(]?[\d\s()./+-]*")
_COUNTRY_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
_MOST_WORDS = 8
"""More words of a query say nothing new."""


@dataclass(frozen=True)
class Word:
    """A word of a query. It finds whom one of the alternatives finds: each text of it begins a word of the person."""

    alternatives: tuple[tuple[str, ...], ...]

    @property
    def texts(self) -> int:
        """The number of texts in all alternatives."""
        return sum(map(len, self.alternatives))


def fold(text: str) -> str:
    """Return the text without accents, in one case."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())).translate(_WITHOUT_ACCENT)


def spell_out(text: str) -> str:
    """Return the text without accents, in one case, with two letters for an umlaut."""
    return fold(text if text.isascii() else unicodedata.normalize("NFC", text.casefold()).translate(_SPELLED_OUT))


def words_of(person: Person) -> list[str]:
    """Return the words by whose beginnings a person is found, each once."""
    found = [person.email] if person.email else []
    if person.phone:
        found += [person.phone[1:], _national(person.phone)]
    for spelled in dict.fromkeys((fold(person.name), spell_out(person.name))):
        for written in spelled.split():
            parts = _PARTS.findall(written)
            # "O'Brien" also by "obrien", "Smith-Jones" by "smithjones".
            found += parts if len(parts) == 1 else [*parts, "".join(parts)]
    return list(dict.fromkeys(filter(None, found)))


def query_words(query: str) -> tuple[Word, ...]:
    """Return the words of a query, none if it has neither letters nor digits. No sign in it is an operator."""
    digits = "".join(_PARTS.findall(query)) if _PHONE.fullmatch(query.strip()) else ""
    if digits and " " in query.strip():
        return (Word(tuple(_distinct([(digits,), (_without_zeros(digits),), tuple(_PARTS.findall(query))]))),)
    return tuple(word for each in query.split()[:_MOST_WORDS] if (word := _word(each)).alternatives)


def _word(written: str) -> Word:
    alternatives: list[tuple[str, ...]] = (
        [(written.lower(),)] if written.isascii() else []
    )  # an e-mail address is found as it is
    for spelling in (fold, spell_out):
        parts = _PARTS.findall(spelling(written.translate(_APOSTROPHES)))
        alternatives += [tuple(parts), ("".join(parts),)]
    digits = "".join(_PARTS.findall(written))
    if digits.isdecimal() and digits.isascii():
        alternatives.append((_without_zeros(digits),))
    return Word(tuple(_distinct(alternatives)))


def _distinct(alternatives: list[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield each alternative once, without those that would match everybody."""
    yield from (each for each in dict.fromkeys(alternatives) if all(each) and each)


def _without_zeros(digits: str) -> str:
    """Return the digits of a phone number without what is dialled before the area code or the country code."""
    return digits.lstrip("0")


def _national(phone: str) -> str:
    """Return the digits after the code of the country, as people of the country write them after a zero."""
    # No code is the beginning of another one.
    return next((phone[1 + size :] for size in (1, 2, 3) if phone[1 : 1 + size] in _COUNTRY_CODES), "")
