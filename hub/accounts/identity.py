"""The identity that an access token proves."""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.values import Role


@dataclass(frozen=True)
class Identity:
    """A person, the login session of the token, and the instant (UTC) at which the token expires.

    With `must_change_password` the token is good for nothing but the change of a first password, and for log-outs. With
    `must_enrol` it is good for nothing but to set up a second factor, and for the same.
    """

    user_id: str
    role: Role
    session_id: str
    expires_at: datetime
    must_change_password: bool = False
    must_enrol: bool = False
