"""Storage interfaces for accounts, sessions and attempt counters. `hub.records` implements them (MongoDB and memory).

Every method may raise `hub.records.errors.StoreUnavailable`. Instants are aware, UTC, in whole milliseconds.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol

from hub.accounts.access import AccessEntry
from hub.accounts.account import Account, Erasure, JoinedInto, OneTimeCode, Refreshed, Session
from hub.accounts.pending_sign_up import PendingSignUp
from hub.accounts.person import Person
from hub.scheduling.values import Role

Unique = Literal["email", "phone"]
"""A field whose value must be unique among all accounts."""


class UserRecords(Protocol):
    """The accounts of all roles."""

    async def add(self, accounts: Sequence[Account]) -> Unique | None:
        """Insert accounts in order. Returns None, or the field whose value another account already has.

        Only accounts that can log in are refused and refuse others. It stops at the first account that is refused. The
        accounts before it are written.
        """

    async def change(self, before: Account, after: Account) -> Unique | Literal["stale"] | None:
        """Write the fields that differ between two versions of one account. Other stored fields stay unchanged.

        Returns None on success. Otherwise nothing was written: returns the field whose value another account already
        has, or "stale" if the account is gone or was erased, or if the password changes and the stored one differs from
        `before`.
        """

    async def join(self, patient_id: str, joined_into: JoinedInto) -> JoinedInto | None:
        """Store what a patient was joined into, unless that is stored already; return what is stored.

        None if there is no such account, or if it can log in or was erased.
        """

    async def joined_since(self, since: datetime) -> list[Account]:
        """Return the patients who were joined into another account at `since` or later."""

    async def joined_with(self, account_id: str) -> list[Account]:
        """Return the patients who were joined into this account."""

    async def erase(self, before: Account, after: Account) -> bool:
        """Replace a patient's account by what is left of it (`account.erased`); return whether it was replaced.

        Nothing of the stored account stays. It is not replaced if it was erased before, or if its password is another
        one than in `before`.
        """

    async def put_erasure(self, account_id: str, erasure: Erasure) -> None:
        """Store how far the erasure of an account has come."""

    async def erasures(self) -> list[Account]:
        """Return the erased accounts that still have to be looked after."""

    async def by_id(self, user_id: str) -> Account | None:
        """Return the account."""

    async def by_email(self, email: str) -> Account | None:
        """Return the account that logs in with this e-mail address (lower case)."""

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account with this phone number (E.164) that can log in."""

    async def patients_with_phone(self, phone: str) -> list[Account]:
        """Return all patients with this phone number (E.164), the one who can log in first, then by id."""

    async def by_ids(self, user_ids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts that exist among the ids, by id."""

    async def doctors(self) -> list[Account]:
        """Return all doctors, ordered by name."""

    async def doctor_ids(self) -> list[str]:
        """Return the ids of all doctors, in any order. With thousands of doctors it is much cheaper than `doctors`."""

    async def receptionists(self) -> list[Account]:
        """Return all receptionists, ordered by name."""

    async def count(self, role: Role | None = None) -> int:
        """Return the number of accounts, of one role or of all."""

    def people(self) -> AsyncIterator[Sequence[Person]]:
        """Yield all people, in batches and in no order. Who is added or changed meanwhile may be missing."""

    async def people_changed(self, since: datetime) -> list[Person]:
        """Return the people whose accounts were written at `since` or later, by the machine's clock of the writer."""


class SessionRecords(Protocol):
    """Login sessions. Each is one family of refresh tokens."""

    async def add(self, session: Session) -> None:
        """Insert a session."""

    async def rotate(
        self, session_id: str, presented: str, fresh: str, now: datetime, refreshed: Refreshed | None = None
    ) -> Session | None:
        """Replace the token hash `presented` by `fresh` if `presented` is the current hash of a live session.

        Returns the session, or None if it is unknown, expired, revoked, or has another hash. In the last case the
        session is revoked, because a token was used twice. With `refreshed`, the exchange is stored too. The same
        exchange once more (`Session.was_refreshed_by`), also at the same time, changes nothing and returns the session
        as the first one left it.
        """

    async def revoke(self, session_id: str, now: datetime) -> None:
        """End the session."""

    async def of_user(self, user_id: str, now: datetime) -> list[Session]:
        """Return the live sessions of a user, the latest first."""

    async def revoked_at(self, session_id: str) -> datetime | None:
        """Return when the session was revoked, or None if it is unknown or not revoked."""

    async def revoked_since(self, since: datetime) -> dict[str, datetime]:
        """Return the sessions that were revoked at `since` or later: session id → instant."""

    async def revoke_all(self, user_id: str, now: datetime, keep_session_id: str | None = None) -> list[str]:
        """Revoke every live session of the user except `keep_session_id`. Returns the revoked ids."""

    async def forget_devices(self, user_id: str) -> None:
        """Remove from the sessions of a user what their programs said of themselves."""

    async def revoke_all_from_before(self, restored: Session, now: datetime) -> int:
        """Revoke every live session, and insert `restored`, a revoked one that stands for those that are lost.

        Returns how many were revoked.
        """


RESTORED: Final = "restored-"
"""Begins the id of an ended log-in that nobody made: it says that all log-ins from before the instant after it (machine
time in milliseconds) have ended, because the database was restored from a backup."""


class AccessRecords(Protocol):
    """The access log. Lines are added, and only an erasure changes any. The store deletes expired ones."""

    async def add(self, entries: Sequence[AccessEntry]) -> None:
        """Insert the lines that are not there yet."""

    async def about(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return the lines about a person of [since, until), by time; also those that name an earlier line instead."""

    async def by(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return what a person did in [since, until), by time."""

    async def by_ids(self, ids: Collection[str]) -> dict[str, AccessEntry]:
        """Return the lines that exist among the ids."""

    async def forget_addresses(self, person_id: str) -> None:
        """Remove the network addresses from what an erased person did, and from refused log-ins to the account."""

    async def streams(self, doctor_ids: Collection[str]) -> list[AccessEntry]:
        """Return the lines about sockets that are sent events of these doctors, by time."""


class CodeRecords(Protocol):
    """Codes that were texted, one for each purpose and account."""

    async def put(self, code: OneTimeCode) -> None:
        """Store a code. It replaces the one of the same id."""

    async def tried(self, code_id: str) -> OneTimeCode | None:
        """Count a try and return the code with it, also one that has expired. Concurrent tries get different counts."""

    async def use(self, code: OneTimeCode) -> bool:
        """Remove the code; return whether it was there. Of two uses at once, one succeeds."""

    async def forget(self, code_ids: Collection[str]) -> None:
        """Remove these codes."""


class SignUpRecords(Protocol):
    """Sign-ups that wait for a code. The store deletes expired ones."""

    async def add(self, sign_up: PendingSignUp) -> None:
        """Insert a sign-up."""

    async def set_code(self, sign_up_id: str, code_hash: str) -> None:
        """Store the code of a sign-up, if it is still there."""

    async def tried(self, sign_up_id: str) -> PendingSignUp | None:
        """Count a try and return the sign-up with it, also one that has expired.

        Concurrent tries get different counts.
        """

    async def remove(self, sign_up_id: str) -> None:
        """Delete a sign-up, if it is still there."""


class AttemptRecords(Protocol):
    """Counters of attempts. The caller chooses the keys."""

    async def counts(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the counters of these keys that exist."""

    async def count(self, key: str, until: datetime) -> int:
        """Increment the counter of the key and return its new value. Concurrent callers get different values.

        The store may delete the counter after the `until` of the call that created it.
        """

    async def forget(self, prefixes: Collection[str]) -> None:
        """Remove the counters whose keys begin so."""
