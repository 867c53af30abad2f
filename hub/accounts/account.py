"""The account of a doctor or a patient, and a log-in of one."""

from typing import Literal, get_args

from hub.scheduling.schedule import Schedule, ZoneName
from hub.scheduling.values import Id, Instant, Value
from hub.texting.text import TextKind
from hub.texting.wording import Language

ALL_TEXT_KINDS: tuple[TextKind, ...] = get_args(TextKind)
"""Every kind of text."""


class Account(Value):
    """A person who can log in. `email` is lower case, `phone` E.164; both are unique among all accounts.

    `calendar` holds a doctor's zone, hours and time off; it is None for a patient. `zone` is a patient's own, None
    where they never said. `texts` are the kinds that the person wants, in `language`. `photo` is the id of the picture;
    `calendar_key_hash` the hash of what opens the calendar's private link.
    """

    id: Id
    role: Literal["doctor", "patient"]
    name: str
    email: str
    phone: str | None
    password_hash: str
    created_at: Instant
    specialty: str | None = None
    calendar: Schedule | None = None
    zone: ZoneName | None = None
    language: Language = "en"
    texts: tuple[TextKind, ...] = ALL_TEXT_KINDS
    photo: Id | None = None
    calendar_key_hash: str | None = None


class Session(Value):
    """One log-in: a family of refresh tokens, of which only the hash of the current one is kept."""

    id: Id
    user_id: Id
    role: Literal["doctor", "patient"]
    token_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None
