"""Validates and normalizes the fields of an account that people type: e-mail, phone, name and password.

White space and line ends around a field are removed, because people paste them in with the value. A password is kept as
it is: they may be part of it.
"""

import re
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from hub.texting.phone_numbers import normalized_phone

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, among them those that reverse the direction of a line: a name could look like another one."""
PASSWORD_BYTES = range(8, 73)  # bcrypt ignores everything after 72 bytes


def _email(written: str) -> str:
    """Return the address as it is stored: normalized, lower case. There is no DNS query; .test addresses are valid."""
    try:
        checked = validate_email(written, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PydanticCustomError("email", "Input should be an e-mail address") from None
    return checked.normalized.lower()


def _name(written: str) -> str:
    if _CONTROL.search(written):
        raise PydanticCustomError("name", "Input should be a name, without control characters")
    return written


def _new_password(written: SecretStr) -> SecretStr:
    if len(written.get_secret_value().encode()) not in PASSWORD_BYTES:
        raise PydanticCustomError("password_length", "Input should have 8 to 72 bytes in UTF-8")
    return written


Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_email)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), AfterValidator(normalized_phone)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_name)]
Specialty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
NewPassword = Annotated[SecretStr, AfterValidator(_new_password)]


def first_name(name: str) -> str:
    """Return the first part of a name: that of "Anna Maria Berg" is "Anna", as that of "Berg, Anna"."""
    given = name.rpartition(",")[2].split() or name.split()
    return given[0] if given else name
