"""What Twilio's answers and error codes mean for a text.

Twilio splits and adds codes, so the HTTP status decides first and codes only where they are known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SendResult(StrEnum):
    """What has become of one try to send a text."""

    SENT = "sent"
    """Twilio has it."""
    LATER = "later"
    """Nothing went out, or it could not be delivered just now: trying again is safe and may help."""
    PERMANENT = "permanent"
    """This number will never get it: somebody has to ask for another one."""
    OPTED_OUT = "opted_out"
    """The recipient has sent STOP: nothing more goes to this number from ours until they send START."""
    HALT = "halt"
    """The trouble is ours (log-in, number, registration): no text at all goes out until a person has mended it."""
    UNKNOWN = "unknown"
    """Twilio may have it or not."""


@dataclass(frozen=True)
class Outcome:
    """What a POST came to. `code` is Twilio's (0: none); `cause` is what may be logged: a status or an error's type."""

    result: SendResult
    sid: str | None
    code: int
    cause: str


def _all(fate: SendResult, codes: Iterable[int]) -> dict[int, SendResult]:
    return dict.fromkeys(codes, fate)


_FATES: Mapping[int, SendResult] = {
    # 30004: the carrier blocks it, which may be the same.
    **_all(SendResult.OPTED_OUT, (21610, 30004)),
    # Bad number, no route, not mobile, landline, premium, region off (a setting of ours); unknown handset, landline.
    **_all(SendResult.PERMANENT, (21211, 21612, 21614, 21635, 21268, 21408, 30005, 30006)),
    # Log-in; From not ours, not for texts, trial account, no sender, our callback's address; account suspended.
    **_all(SendResult.HALT, (20003, 21212, 21606, 21608, 21609, 90007, 30002)),
    # Taken for spam, campaign not registered: repeating makes it worse.
    **_all(SendResult.HALT, (30007, 30034)),
    # Concurrency, daily cap, queue full, too many to one number, carrier's rate: nothing went out.
    **_all(SendResult.LATER, (20429, 63038, 21611, 30001, 14107, 30022)),
    # Handset off, unknown, carrier's time-out, Twilio's fault, block against pumping; not sent within its validity.
    **_all(SendResult.LATER, (30003, 30008, 30410, 30500, 30450, 30036)),
}
_QUEUES = frozenset({30001, 14107, 30022, 20429, 21611, 63038})
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_OURS_TO_MEND = frozenset({401, 403, 404})
_ABOUT_THE_TEXT = 21
"""The thousands of the codes that are about a number or a text, as far as they are not in the table."""


def classify_http_error(status: int, code: int) -> SendResult:
    """Return what an HTTP status other than 2xx means, with Twilio's code (0: none)."""
    if not 400 <= status < 500 or status == _REQUEST_TIMEOUT:  # noqa: PLR2004  # the class of HTTP's client errors
        return SendResult.UNKNOWN  # 3xx and 5xx come from anywhere on the way, also after the message was taken
    if code in _FATES:
        return _FATES[code]
    if status == _TOO_MANY_REQUESTS:
        return SendResult.LATER
    if status in _OURS_TO_MEND and code // 1000 != _ABOUT_THE_TEXT:
        return SendResult.HALT
    return SendResult.PERMANENT


def classify_error_code(code: int) -> SendResult:
    """Return what the code means with which a callback says `failed` or `undelivered` (0: none)."""
    return _FATES.get(code, SendResult.UNKNOWN)


def retry_delay(code: int) -> timedelta | None:
    """Return how long after such a callback one more try may help; None: no more tries."""
    if classify_error_code(code) is not SendResult.LATER:
        return None
    return timedelta(minutes=5) if code in _QUEUES else timedelta(minutes=45)
