"""Who is speaking, as an access token proves it."""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.values import Role


@dataclass(frozen=True)
class Identity:
    """A doctor or a patient, the log-in the token came from, and the instant (UTC) until which the token holds."""

    user_id: str
    role: Role
    session_id: str
    expires_at: datetime
