"""The identity that an access token proves."""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.values import Role


@dataclass(frozen=True)
class Identity:
    """A doctor or a patient, the login session of the token, and the instant (UTC) at which the token expires."""

    user_id: str
    role: Role
    session_id: str
    expires_at: datetime
