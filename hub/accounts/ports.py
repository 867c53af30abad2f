"""What accounts and log-ins need of the store; `hub.records` implements it for MongoDB and in memory.

Every method may raise `hub.records.errors.StoreUnavailable`. Instants are aware, UTC, whole milliseconds.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from hub.accounts.account import Account, Session
from hub.scheduling.values import Role

Unique = Literal["email", "phone"]
"""A field of an account that no two accounts share."""


class UserRecords(Protocol):
    """The accounts of both roles."""

    async def add(self, accounts: Sequence[Account]) -> Unique | None:
        """Write new accounts in order. Return None, or the field that another account holds already.

        Stops at the first account that is refused; those before it are written.
        """

    async def change(self, before: Account, after: Account) -> Unique | Literal["stale"] | None:
        """Write what differs between the two, which are one account; everything else stays as it is in the store.

        Returns None; or the field that another account holds already; or "stale" when there is no such account, or when
        the password differs and is not that of `before` any more. Then nothing was written.
        """

    async def by_id(self, user_id: str) -> Account | None:
        """Return the account."""

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this e-mail address (lower case)."""

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account with this phone number (E.164)."""

    async def by_ids(self, user_ids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts that exist among the ids, by id."""

    async def doctors(self) -> list[Account]:
        """Return all doctors, ordered by name."""

    async def doctor_ids(self) -> list[str]:
        """Return the ids of all doctors, in any order: of thousands a fraction of what the accounts cost."""

    async def count(self, role: Role | None = None) -> int:
        """Return how many accounts there are, of one role or of both."""


class SessionRecords(Protocol):
    """Refresh-token families: one log-in each."""

    async def add(self, session: Session) -> None:
        """Write a new session."""

    async def rotate(self, session_id: str, presented: str, fresh: str, now: datetime) -> Session | None:
        """Replace the token hash `presented` by `fresh` if it is the current one of a live session.

        Returns the session then; None when the session is unknown, over, revoked, or `presented` is not its current
        hash, in which case a session that exists is revoked: somebody uses a token that has been used.
        """

    async def revoke(self, session_id: str, now: datetime) -> None:
        """End the session."""

    async def revoked_at(self, session_id: str) -> datetime | None:
        """Return when the session was ended; None while it is not, or when there is none."""

    async def revoked_since(self, since: datetime) -> dict[str, datetime]:
        """Return the sessions that were ended at `since` or later: session id → when."""

    async def revoke_all(self, user_id: str, now: datetime, keep_session_id: str | None = None) -> list[str]:
        """End every live session of the user but the one that is `keep_session_id`; return their ids."""


class AttemptRecords(Protocol):
    """How often something was tried, by a key of the caller's making."""

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return what was counted under each of the keys that has something."""

    async def count(self, key: str, until: datetime) -> int:
        """Count one more under the key and return how many that makes, this one included: each caller another number.

        What is counted under the key may be forgotten after `until`, which is that of the first.
        """
