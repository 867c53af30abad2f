"""The account of a doctor or a patient, and a log-in of one."""

from typing import Literal

from hub.scheduling.hours import Doctor
from hub.scheduling.values import Id, Instant, Value


class Account(Value):
    """A person who can log in. `email` is lower case, `phone` E.164; both are unique among all accounts.

    `calendar` holds a doctor's zone, hours and time off; it is None for a patient. `texts_wanted` is whether a doctor
    is told by text what changes today or tomorrow; patients answer STOP instead.
    """

    id: Id
    role: Literal["doctor", "patient"]
    name: str
    email: str
    phone: str | None
    password_hash: str
    created_at: Instant
    specialty: str | None = None
    calendar: Doctor | None = None
    texts_wanted: bool = True


class Session(Value):
    """One log-in: a family of refresh tokens, of which only the hash of the current one is kept."""

    id: Id
    user_id: Id
    role: Literal["doctor", "patient"]
    token_hash: str
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None = None
