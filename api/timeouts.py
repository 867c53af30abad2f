"""Time limits and intervals of an api process."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Timeouts:
    """Seconds, where the type says nothing else."""

    command: timedelta = timedelta(seconds=15)
    """An actor refuses a command that it gets later than this: the sender was told to try again after 10 s."""
    body: float = 60.0
    """For the body of a request to arrive."""
    text_reply: float = 11.0
    """For the reply to a text, one second more than for a command. Twilio waits 15 s, and drops a later reply."""
    engine_check: float = 3.0
    """For the database or the broker to answer `/health/ready`; to notice that one does not answer takes 2 s."""
    database_retry: float = 1.0
    """Between two attempts to create the indexes while the database does not answer."""
    access_log: float = 1.0
    """Between two writes of the access log: kill -9 loses the lines of this time."""
    access_log_close: float = 5.0
    """For the last write at the end of the process."""
    revocation_check: float = 2.0
    """Between two reads of the ended log-ins in the database."""
