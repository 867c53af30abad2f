"""The results of a command: of one attempt to send it, and of the command in the end. Values, never exceptions."""

from dataclasses import dataclass
from datetime import datetime

from hub.client.appointment import NamedAppointment


@dataclass(frozen=True)
class Granted:
    """The hub carried out the command; `appointment` is the state after it. `status` is None over a socket.

    `replayed`: the hub had carried it out before this request, under the same key.
    """

    appointment: NamedAppointment
    status: int | None
    replayed: bool = False


@dataclass(frozen=True)
class Problem:
    """The hub refused: a machine-readable code, a sentence, and the HTTP status (None over a socket).

    `retry_after`: the seconds to wait before the next attempt, if the hub gave them. `appointment_id`: with
    `slot_taken`, the appointment that holds the slot, if it is of the same patient.
    """

    code: str
    detail: str
    status: int | None = None
    retry_after: float | None = None
    appointment_id: str | None = None


@dataclass(frozen=True)
class NoResponse:
    """No usable response came, for this reason. The command may or may not have been carried out."""

    cause: str


Outcome = Granted | Problem | NoResponse
"""The result of one attempt to send a command."""

NO_ANSWER = "no_answer"
"""The code of an answer that never came."""

UNREADABLE = "unreadable"
"""The code of a problem without a code: a proxy between client and hub answered."""

UNDECIDED = frozenset({"try_again", "unavailable", "draining", "busy", "too_many_requests", UNREADABLE})
"""Problems that leave the command undecided: it may be sent again."""


@dataclass(frozen=True)
class Answer:
    """The final result of a command.

    `ok`: the change is in the record, and `appointment` is the state right after it. If not, `code` and `detail` say
    why, and `appointment_id` is that of `Problem`. `replayed`: it had been carried out before the last attempt, under
    the same key, so the present state may be another.
    `key` is the command's key, `attempts` how often it was sent, `seconds` the time over all attempts, and `at` the
    time of the answer. `status` is the HTTP status, None over a socket.
    """

    key: str
    ok: bool
    appointment: NamedAppointment | None
    code: str | None
    detail: str | None
    status: int | None
    attempts: int
    seconds: float
    at: datetime
    replayed: bool = False
    appointment_id: str | None = None

    @property
    def decided(self) -> bool:
        """Whether the hub decided the command. If not, it may or may not have been carried out."""
        return self.ok or self.code not in UNDECIDED | {NO_ANSWER}
