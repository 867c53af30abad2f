"""The account of a doctor or a patient, and a login session."""

from typing import Literal, get_args

from pydantic import Field

from hub.scheduling.schedule import Schedule, ZoneName
from hub.scheduling.values import Id, Instant, Value
from hub.texting.text import TextKind
from hub.texting.wording import Language

ALL_TEXT_KINDS: tuple[TextKind, ...] = get_args(TextKind)
"""Every kind of text."""


class Account(Value):
    """A person who can log in. `email` is lower case and `phone` is E.164. Both are unique among all accounts.

    `schedule` is a doctor's schedule at the creation of the account, None for a patient; stored documents call it
    `calendar`. `zone` is a patient's time zone, None if they never set one. `texts` are the kinds of texts that the
    person wants, written in `language`. `photo` is the id of the picture. `calendar_key_hash` is the hash of the key in
    the private calendar link.
    """

    id: Id
    role: Literal["doctor", "patient"]
    name: str
    email: str
    phone: str | None
    password_hash: str
    created_at: Instant
    specialty: str | None = None
    schedule: Schedule | None = Field(default=None, alias="calendar")
    zone: ZoneName | None = None
    language: Language = "en"
    texts: tuple[TextKind, ...] = ALL_TEXT_KINDS
    photo: Id | None = None
    calendar_key_hash: str | None = None


class Session(Value):
    """One login: a family of refresh tokens. Only the hash of the current token is stored."""

    id: Id
    user_id: Id
    role: Literal["doctor", "patient"]
    token_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None
