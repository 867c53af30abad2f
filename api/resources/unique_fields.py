"""The problems of fields whose value must be that of one account only."""

from collections.abc import Mapping
from typing import Final

from api.http.problems import Code
from hub.accounts.ports import Unique

TAKEN: Final[Mapping[Unique, tuple[Code, str]]] = {
    "email": ("email_taken", "There is an account with this e-mail address."),
    "phone": ("phone_taken", "There is an account with this phone number."),
}
