"""Explains to the clinic's staff why a text did not arrive. No explanation quotes a phone number or a text."""

from collections.abc import Mapping

from hub.texting.outcomes import SendResult, classify_error_code
from hub.texting.text import SkipReason, Text, TextStatus

_SKIPPED: Mapping[SkipReason, str] = {
    "no_phone": "There is no phone number in the account.",
    "not_proven": "The phone number in the account has not been proven by a code.",
    "opted_out": "They have opted out of texts. They get texts again when they send START.",
    "too_late": "It would have come too late to be of use.",
    "cancelled": "The appointment was cancelled before the text was sent.",
    "moved": "The appointment was moved before the text was sent. Another text tells the new time.",
    "over": "The appointment was over before the text was sent.",
    "arrived": "The patient had arrived before the text was sent.",
    "unknown_appointment": "Its appointment is not in the record.",
}
_CODES: Mapping[int, str] = {
    30002: "Twilio has suspended the clinic's account.",
    30007: "Carriers treat the clinic's texts as spam.",
    30034: "The clinic's number is not registered for texts with US carriers.",
    21408: "The clinic's Twilio account may not send texts to that country.",
    30006: "The number belongs to a landline, or cannot be reached.",
    30003: "The phone was off or out of reach.",
}
_RESULTS: Mapping[SendResult, str] = {
    SendResult.LATER: "The carrier could not deliver it.",
    SendResult.PERMANENT: "This number cannot receive texts. Ask for another number.",
    SendResult.OPTED_OUT: "They have opted out of texts. They get texts again when they send START.",
    SendResult.HALT: "Twilio or the carriers block the clinic's texts; the clinic's Twilio account needs attention.",
    SendResult.UNKNOWN: "The carrier did not say why.",
}
_NOT_ARRIVED = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED})


def failure_reason(text: Text) -> str | None:
    """Return why a text was not delivered. Returns None if it was delivered or may still be."""
    if text.status is TextStatus.OPTED_OUT:
        return _RESULTS[SendResult.OPTED_OUT]
    if text.status is TextStatus.SKIPPED and text.reason:
        return _SKIPPED[text.reason]
    if text.status is TextStatus.RECORDED:
        return "This hub sends no texts: Twilio is not set up."
    if text.status not in _NOT_ARRIVED:
        return None
    if text.error_code is None:
        return "It is unknown whether the text was sent: Twilio did not answer clearly."
    return _CODES.get(text.error_code) or _RESULTS[classify_error_code(text.error_code)]


def line_halt_reason(code: int) -> str:
    """Return why carriers block the texts of a line. `code` is Twilio's error code."""
    return _CODES.get(code) or _RESULTS[SendResult.HALT]
