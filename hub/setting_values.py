"""The forms of settings that are more than a type: names and numbers in texts, addresses, origins, networks."""

import re
import unicodedata
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from hub.texting.phone_numbers import without_separators
from hub.texting.segments import outside_gsm7, units

_MAX_NAME_UNITS = 40
_FEWEST_DAYS = 7
"""A text of an event is not planned again after a day; a text that is still on its way must not be deleted."""
_PHONE_CHARACTERS = frozenset("0123456789 ().-+")
_PHONE_LENGTH = range(3, 21)
_FEWEST_DIGITS = 3


def _clinic_name(written: str, others: ValidationInfo) -> str:
    """Return the name as texts show it. Characters that GSM-7 lacks are accepted with TEXTS_UNICODE."""
    name = unicodedata.normalize("NFC", " ".join(written.split()))
    if not any(map(str.isalnum, name)) or any(unicodedata.category(each) == "Cc" for each in name):
        message = "the name has no letter or digit, or has control characters"
        raise ValueError(message)
    lacking = outside_gsm7(name)
    if lacking and not others.data.get("texts_unicode"):
        message = (
            f"GSM-7, the alphabet of texts, lacks {_listed(lacking)}. Write the name without, or set "
            "TEXTS_UNICODE=true: texts then take more segments, because a segment holds 70 characters instead of 160"
        )
        raise ValueError(message)
    if units(name) > _MAX_NAME_UNITS:
        message = f"the name may take at most {_MAX_NAME_UNITS} units of a text, and takes {units(name)}"
        raise ValueError(message)
    return name


def _clinic_phone(written: str) -> str:
    """Return the number as texts show it, with plain spaces and hyphens. It may be a national number."""
    plain = "".join(_plain(each) for each in written)
    if lacking := [each for each in dict.fromkeys(plain) if each not in _PHONE_CHARACTERS]:
        message = f"a phone number has digits, spaces and ( ) . - +, and not {_listed(lacking)}"
        raise ValueError(message)
    if len(plain) not in _PHONE_LENGTH or sum(map(str.isdigit, plain)) < _FEWEST_DIGITS:
        message = "a phone number has at least 3 digits and at most 20 characters"
        raise ValueError(message)
    return plain


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    return "-" if unicodedata.category(character) == "Pd" else character


def _listed(characters: Sequence[str]) -> str:
    names = [each if each.isprintable() else f"U+{ord(each):04X}" for each in characters]
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + names[-1]


ClinicName = Annotated[str, AfterValidator(_clinic_name)]
ClinicPhone = Annotated[str, AfterValidator(_clinic_phone)]
OurNumber = Annotated[str, BeforeValidator(without_separators), Field(pattern=r"^\+?[0-9]{5,15}$")]
"""E.164, or a short code."""
BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$"), AfterValidator(lambda url: url.rstrip("/"))]
"""A URL without a slash at the end, so that paths can be appended."""


def _origin(written: str) -> str:
    parts = urlsplit(written)
    if parts.scheme not in {"http", "https"} or written != f"{parts.scheme}://{parts.netloc}" or not parts.hostname:
        raise ValueError("an origin is written like https://desk.clinic.example, without a path")
    return written


def _network(written: str) -> str:
    return str(ip_network(written))


Origin = Annotated[str, AfterValidator(_origin)]
"""An origin as browsers send it: scheme://host, with :port unless it is the scheme's default."""
Network = Annotated[str, AfterValidator(_network)]
"""An address or a network, like 10.0.0.0/8."""


_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DAY = 24 * 60


def minutes_of_hours(written: str) -> tuple[int, int]:
    """Return the minutes after midnight of hours like 08:00-21:00. Raises ValueError."""
    if not (found := _HOURS.fullmatch(written)):
        raise ValueError("hours are written like 08:00-21:00")
    opens, closes = (60 * int(found[first]) + int(found[first + 1]) for first in (1, 3))
    if not opens < closes <= _DAY:
        raise ValueError("hours end after they begin, at 24:00 at the latest")
    return opens, closes


def _hours_of_day(written: str) -> str:
    minutes_of_hours(written)
    return written


HoursOfDay = Annotated[str, AfterValidator(_hours_of_day)]
"""A part of each day, like 08:00-21:00."""


def _days_kept(days: int) -> int:
    if 0 < days < _FEWEST_DAYS:
        message = f"texts are kept for at least {_FEWEST_DAYS} days, or for ever with 0"
        raise ValueError(message)
    return days


DaysKept = Annotated[int, Field(ge=0, le=36_500), AfterValidator(_days_kept)]
"""For how many days something is kept; 0: for ever."""
