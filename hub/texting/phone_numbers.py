"""Normalizes phone numbers as people type and paste them, or says why a number cannot be used."""

import re
import unicodedata
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult
from pydantic_core import PydanticCustomError

_PREFIX = re.compile(r"\s*tel:", re.IGNORECASE)
_EXTENSION = re.compile(r"(?i)[;,x#]|ext|durchwahl|poste")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
"""The 0 of calls inside the country, as in +44 (0)20 7946 0000. It is not dialled after the code of the country."""
_SEPARATORS = frozenset("().-/")
_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)
_CALLS_ABROAD = "00"
_EXAMPLE = "for example +12025550123"

_LENGTHS: Final = {
    ValidationResult.TOO_SHORT: "The phone number is too short for its country",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "The phone number is too short: the area code is missing",
    ValidationResult.TOO_LONG: "The phone number is too long for its country",
    ValidationResult.INVALID_LENGTH: "The phone number has too few or too many digits for its country",
}
_COSTLY: Final = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
"""Kinds of numbers whose owners are paid for each text and call."""


def normalized_phone(written: str) -> str:
    """Return the number in E.164. Spaces, hyphens, dots, slashes, parentheses, `tel:` and a leading 00 may be in it.

    Raises `PydanticCustomError`, whose message says what is wrong with the number.
    """
    number = without_separators(_PREFIX.sub("", written, count=1))
    if not any(character.isdecimal() for character in number):
        raise _refused(f"A phone number has digits, {_EXAMPLE}")
    if not _NUMBER.fullmatch(number):
        raise _refused(_reason_for_characters(number))
    if number.startswith(_CALLS_ABROAD):
        number = "+" + number.removeprefix(_CALLS_ABROAD)
    if not number.startswith("+"):
        raise _refused(f"The country is missing: begin with + and the code of the country, {_EXAMPLE}")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise _refused(_reason_for_parts(error)) from None
    if reason := _LENGTHS.get(phonenumbers.is_possible_number_with_reason(parsed)):
        raise _refused(reason)
    if not phonenumbers.is_valid_number(parsed):
        raise _refused(
            "This is not a phone number in use: its country gives out no such numbers, "
            "or keeps them for films and books"
        )
    if phonenumbers.number_type(parsed) in _COSTLY:
        raise _refused("Texts and calls to this number cost extra: give another one")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def without_separators(written: str) -> str:
    """Return the number without spaces, hyphens, dots, slashes and parentheses.

    The invisible signs that come with a pasted number are removed too.
    """
    return "".join(character for character in _TRUNK_ZERO.sub("", written) if not _is_separator(character))


def _is_separator(character: str) -> bool:
    # Cf: marks of the writing direction, zero-width spaces. Pd: hyphens and dashes. U+2212 is the minus sign.
    return (
        character.isspace()
        or character in _SEPARATORS
        or character == "\N{MINUS SIGN}"
        or unicodedata.category(character) in {"Cf", "Pd"}
    )


def _reason_for_characters(number: str) -> str:
    if _EXTENSION.search(number):
        return f"A phone number has no extension here: write it without, {_EXAMPLE}"
    if any(character.isalpha() for character in number):
        return f"A phone number has no letters: write it with digits, {_EXAMPLE}"
    return f"A phone number has a + at its beginning and the digits 0 to 9, {_EXAMPLE}"


def _reason_for_parts(error: phonenumbers.NumberParseException) -> str:
    match error.error_type:
        case phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            return "No country has the code with which this phone number begins"
        case phonenumbers.NumberParseException.TOO_LONG:
            return _LENGTHS[ValidationResult.TOO_LONG]
        case _:
            return _LENGTHS[ValidationResult.TOO_SHORT]


def _refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError("phone", reason)
