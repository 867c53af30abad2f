"""Classifies Twilio's answers and error codes.

Twilio splits codes and adds new ones. So the HTTP status decides first, and a code only if it is known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SendResult(StrEnum):
    """The result of one attempt to send a text."""

    SENT = "sent"
    """Twilio accepted the text."""
    LATER = "later"
    """The text was not sent, or could not be delivered now. A retry is safe and may succeed."""
    PERMANENT = "permanent"
    """This number can never receive the text. The clinic has to ask for another number."""
    OPTED_OUT = "opted_out"
    """The recipient sent STOP. Our number may send them nothing until they send START."""
    HALT = "halt"
    """The clinic's own setup is at fault (log-in, number, registration). No text can be sent until it is corrected."""
    UNKNOWN = "unknown"
    """Twilio may or may not have accepted the text."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a POST to Twilio. `code` is Twilio's error code (0: none).

    `cause` is an HTTP status or the type of an error. It contains nothing private and may be logged.
    """

    result: SendResult
    sid: str | None
    code: int
    cause: str


def _codes(result: SendResult, codes: Iterable[int]) -> dict[int, SendResult]:
    return dict.fromkeys(codes, result)


_RESULTS: Mapping[int, SendResult] = {
    # 30004: the carrier blocks the text, possibly because of an opt-out.
    **_codes(SendResult.OPTED_OUT, (21610, 30004)),
    # Bad number, no route, not mobile, landline, premium, region disabled in our account; unknown handset, landline.
    **_codes(SendResult.PERMANENT, (21211, 21612, 21614, 21635, 21268, 21408, 30005, 30006)),
    # Log-in; the From number is not ours or cannot send texts; trial account; no sender; bad callback URL; suspended.
    **_codes(SendResult.HALT, (20003, 21212, 21606, 21608, 21609, 90007, 30002)),
    # Treated as spam, campaign not registered: retries make it worse.
    **_codes(SendResult.HALT, (30007, 30034)),
    # Concurrency, daily cap, queue full, too many texts to one number, carrier's rate limit: the text was not sent.
    **_codes(SendResult.LATER, (20429, 63038, 21611, 30001, 14107, 30022)),
    # Handset off, unknown, carrier's time-out, Twilio's error, SMS pumping protection; not sent within its validity.
    **_codes(SendResult.LATER, (30003, 30008, 30410, 30500, 30450, 30036)),
}
_CAPACITY_CODES = frozenset({30001, 14107, 30022, 20429, 21611, 63038})
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_ACCOUNT_STATUSES = frozenset({401, 403, 404})
_TEXT_CODES = 21
"""Codes from 21000 to 21999 are about one number or one text, except those in the table."""


def classify_http_error(status: int, code: int) -> SendResult:
    """Return the result of a POST that got an HTTP status other than 2xx. `code` is Twilio's error code (0: none)."""
    if not 400 <= status < 500 or status == _REQUEST_TIMEOUT:  # noqa: PLR2004  # the class of HTTP's client errors
        return SendResult.UNKNOWN  # a proxy may answer 3xx or 5xx after Twilio has accepted the text
    if code in _RESULTS:
        return _RESULTS[code]
    if status == _TOO_MANY_REQUESTS:
        return SendResult.LATER
    if status in _ACCOUNT_STATUSES and code // 1000 != _TEXT_CODES:
        return SendResult.HALT
    return SendResult.PERMANENT


def classify_error_code(code: int) -> SendResult:
    """Return the result that the error code of a `failed` or `undelivered` report stands for (0: no code)."""
    return _RESULTS.get(code, SendResult.UNKNOWN)


def retry_delay(code: int) -> timedelta | None:
    """Return how long to wait before the one retry after a report with this code. None: do not retry."""
    if classify_error_code(code) is not SendResult.LATER:
        return None
    return timedelta(minutes=5) if code in _CAPACITY_CODES else timedelta(minutes=45)
