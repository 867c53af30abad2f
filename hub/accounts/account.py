"""The account of a person, and a login session."""

from datetime import timedelta
from typing import get_args

from pydantic import Field

from hub.accounts.second_factor import SecondFactor
from hub.scheduling.schedule import Schedule, ZoneName
from hub.scheduling.values import AccountRole, Id, Instant, Role, Value
from hub.texting.text import OptionalKind
from hub.texting.wording import Language

ALL_TEXT_KINDS: tuple[OptionalKind, ...] = get_args(OptionalKind)
"""Every kind of text."""


class JoinedInto(Value):
    """The account that has the appointments of a patient without a log-in now, and who joined the two.

    `key` is that of the first request. The ids of its commands follow from it, so a repetition goes on where it ended.
    """

    account_id: Id
    by: Id
    key: str
    at: Instant


class Erasure(Value):
    """That a patient's data was erased at `at`, by whom, and what is still to be done.

    `by` is the patient's own id, or `cli`. The ids of the commands follow from `key`, so a repetition goes on where it
    ended. `finished_at` is None until all data is gone. Until then `email`, `phone` and `photo` say what has to be
    found elsewhere. `look_until`: a booking may have been under way, so it is looked for until then; None afterwards.
    """

    by: Id
    by_role: Role
    key: str
    at: Instant
    look_until: Instant | None = None
    finished_at: Instant | None = None
    email: str | None = None
    phone: str | None = None
    photo: Id | None = None


class Account(Value):
    """A person. `email` is lower case and `phone` is E.164. Both are unique among the accounts that can log in.

    A patient whom the clinic registered has no `password_hash` and cannot log in. Such a patient may have no `email`,
    and may share phone and e-mail address with anybody: a family has one phone.

    `schedule` is a doctor's schedule at the creation of the account, None for a patient; stored documents call it
    `calendar`. `zone` is a patient's time zone, None if they never set one. `texts` are the kinds of texts that the
    person wants, written in `language`. `photo` is the id of the picture. `calendar_key_hash` is the hash of the key in
    the private calendar link, which was last read at `calendar_read_at`. `display_key_hash` is that of the link of a
    display in the waiting room, which a receptionist has made. `must_change_password`: the password is a first one that
    the clinic gave out. `disabled` is for receptionists; whether a doctor is disabled is in the doctor's schedule.
    `joined_into`: a patient without a log-in was joined with this account. `registered_by` is the fingerprint of the
    request with which the clinic registered the patient: a repetition is told from another request by it, also when the
    patient has been renamed since. `phone_verified`: the person has proven the phone, or the clinic has entered it;
    older accounts count as proven. `erased`: the patient's data was erased. Then the name is empty, there is neither
    address nor log-in, and the id stands for somebody whom nobody knows any more.
    """

    id: Id
    role: AccountRole
    name: str
    email: str | None
    phone: str | None
    password_hash: str | None
    created_at: Instant
    specialty: str | None = None
    schedule: Schedule | None = Field(default=None, alias="calendar")
    zone: ZoneName | None = None
    language: Language = "en"
    texts: tuple[OptionalKind, ...] = ALL_TEXT_KINDS
    photo: Id | None = None
    calendar_key_hash: str | None = None
    calendar_read_at: Instant | None = None
    display_key_hash: str | None = None
    phone_verified: bool = True
    second_factor: SecondFactor | None = None
    must_change_password: bool = False
    disabled: bool = False
    joined_into: JoinedInto | None = None
    registered_by: str | None = None
    erased: Erasure | None = None

    @property
    def has_second_factor(self) -> bool:
        """Whether a log-in needs a code besides the password."""
        return self.second_factor is not None and self.second_factor.confirmed

    @property
    def has_log_in(self) -> bool:
        """Whether the person can log in."""
        return self.password_hash is not None


def erased(account: Account, erasure: Erasure) -> Account:
    """Return what is left of a patient's account: the id, and what has to be done for the erasure."""
    left = {"email": account.email, "phone": account.phone, "photo": account.photo}
    return Account(
        id=account.id,
        role=account.role,
        name="",
        email=None,
        phone=None,
        password_hash=None,
        created_at=account.created_at,
        joined_into=account.joined_into,
        erased=erasure.model_copy(update=left),
    )


class OneTimeCode(Value):
    """A code that was texted to `phone`, for one purpose of one account (`id`). Only its hash is stored.

    `tries` counts the answers so far. A new code replaces the one before.
    """

    id: str
    code_hash: str
    phone: str
    expires_at: Instant
    tries: int = 0


REFRESH_REPEATABLE = timedelta(seconds=30)
"""How long a refresh may be repeated with the same idempotency key and gets the same tokens."""


class Refreshed(Value):
    """The last refresh of a session, if it had an idempotency key: what it takes to answer the same request again.

    `presented` is the hash of the token that was exchanged, `key_hash` that of the idempotency key. With the token and
    the key, both of which are stored nowhere, `salt` gives the new token once more.
    """

    presented: str
    key_hash: str
    salt: str
    at: Instant


class Session(Value):
    """One login: a family of refresh tokens. Only the hash of the current token is stored.

    `device` is what the program that logged in said of itself (`User-Agent`), None for older log-ins and for programs
    that say nothing. `used_at` is the last refresh, None before the first.
    """

    id: Id
    user_id: Id
    role: AccountRole
    token_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None
    refreshed: Refreshed | None = None
    device: str | None = None
    used_at: Instant | None = None

    def was_refreshed_by(self, presented: str, again: Refreshed | None) -> bool:
        """Return whether this is the last refresh once more, and not too late: the same token and the same key."""
        last = self.refreshed
        return (
            last is not None
            and again is not None
            and (last.presented, last.key_hash) == (presented, again.key_hash)
            and again.at - last.at <= REFRESH_REPEATABLE
        )
