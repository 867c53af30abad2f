"""What a search and a display of names need of an account."""

from dataclasses import dataclass

from hub.accounts.account import Account
from hub.scheduling.values import AccountRole


@dataclass(frozen=True, slots=True)
class Person:
    """The part of an account that staff may see: small, so that a process can hold those of all people.

    `email` is lower case and `phone` is E.164; both are None if the clinic does not know them.
    """

    id: str
    role: AccountRole
    name: str
    email: str | None
    phone: str | None
    has_log_in: bool
    joined_into: str | None = None
    """The id of the account that has this patient's appointments now."""
    erased: bool = False
    """Whether the patient's data was erased: then the name is empty."""

    @property
    def shown_name(self) -> str | None:
        """The name as clients are sent it; None for a patient whose data was erased."""
        return None if self.erased else self.name


def person_of(account: Account) -> Person:
    """Return the person of an account."""
    joined_into = account.joined_into.account_id if account.joined_into else None
    return Person(
        id=account.id,
        role=account.role,
        name=account.name,
        email=account.email,
        phone=account.phone,
        has_log_in=account.has_log_in,
        joined_into=joined_into,
        erased=account.erased is not None,
    )
