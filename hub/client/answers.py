"""What comes back: of one sending of a command, and of the command in the end. Values, never exceptions."""

from dataclasses import dataclass
from datetime import datetime

from hub.scheduling.views import AppointmentView


@dataclass(frozen=True)
class Granted:
    """The hub did it, and this is how the appointment stands."""

    appointment: AppointmentView
    status: int | None


@dataclass(frozen=True)
class Refusal:
    """The hub said no: a machine-readable code, a sentence, the HTTP status (None over a socket).

    `retry_after` is the seconds after which the hub wants to be asked again; None when it did not say.
    """

    code: str
    detail: str
    status: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Silence:
    """Nothing came back, for this reason: what was asked may or may not have been done."""

    cause: str


Outcome = Granted | Refusal | Silence
"""What one sending of a command gave."""

NO_ANSWER = "no_answer"
"""The code of an answer that never came."""

UNREADABLE = "unreadable"
"""The code of a refusal that names none: somebody between us and the hub gave it."""

UNDECIDED = frozenset({"try_again", "unavailable", "draining", "busy", "too_many_requests", UNREADABLE})
"""Refusals that say nothing about the command: the same one may be sent again."""


@dataclass(frozen=True)
class Answer:
    """What a command came to in the end.

    `ok` says that it is in the record, and `appointment` how it stood then; otherwise `code` and `detail` say why not.
    `key` is the command's key, `attempts` how often it was sent, `seconds` how long that took in all, `at` when the
    answer was here. `status` is the HTTP status, None over a socket.
    """

    key: str
    ok: bool
    appointment: AppointmentView | None
    code: str | None
    detail: str | None
    status: int | None
    attempts: int
    seconds: float
    at: datetime

    @property
    def decided(self) -> bool:
        """Whether the hub decided the command; if not, it may or may not have been carried out."""
        return self.ok or self.code not in UNDECIDED | {NO_ANSWER}
