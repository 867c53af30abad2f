"""Twilio's error responses, and the magic numbers for which its test credentials give each of them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

MAX_LENGTH = 1600
"""Characters in one text at most."""

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_FROM: Mapping[str, int] = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_TO: Mapping[str, int] = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MESSAGES: Mapping[int, str] = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid From Number (caller ID)",
    21408: "Permission to send an SMS has not been enabled for the region",
    21602: "Message body is required",
    21603: "A 'From' phone number is required",
    21604: "A 'To' phone number is required",
    21606: "The From phone number is not a valid, SMS-capable inbound phone number for your account",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number is not currently reachable",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
}


@dataclass(frozen=True)
class ErrorResponse:
    """An error response: the HTTP status and Twilio's error code."""

    status: int
    code: int

    def document(self) -> dict[str, object]:
        """Return the JSON body."""
        return {
            "code": self.code,
            "message": _MESSAGES[self.code],
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


NOT_AUTHENTICATED = ErrorResponse(401, 20003)
NOT_FOUND = ErrorResponse(404, 20404)
TOO_MANY_REQUESTS = ErrorResponse(429, 20429)
SERVER_ERROR = ErrorResponse(500, 20500)
UNSUBSCRIBED = ErrorResponse(400, 21610)


def find_error(to: str, sender: str, body: str, lines: Collection[str]) -> ErrorResponse | None:
    """Return the error for a text, or None if Twilio accepts it. `lines` are the numbers of the account."""
    code = _missing(to, sender, body) or _bad_sender(sender, lines) or _bad_recipient(to)
    return None if code is None else ErrorResponse(400, code)


def _missing(to: str, sender: str, body: str) -> int | None:
    if not to:
        return 21604
    if not sender:
        return 21603
    if not body:
        return 21602
    return 21617 if len(body) > MAX_LENGTH else None


def _bad_sender(sender: str, lines: Collection[str]) -> int | None:
    if sender in _FROM:
        return _FROM[sender]
    if not _E164.fullmatch(sender):
        return 21212
    return None if sender in lines else 21606


def _bad_recipient(to: str) -> int | None:
    if to in _TO:
        return _TO[to]
    return None if is_phone(to) else 21211


def is_phone(number: str) -> bool:
    """Return whether this is a phone number in E.164 form."""
    return _E164.fullmatch(number) is not None
