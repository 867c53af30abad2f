"""Why a text has not arrived, in words for the clinic's staff. Nothing here quotes a number or what a text said."""

from collections.abc import Mapping

from hub.texting.outcomes import Fate, fate_of_failure
from hub.texting.text import SkipReason, Text, TextStatus

_SKIPPED: Mapping[SkipReason, str] = {
    "no_phone": "There is no phone number in the account.",
    "opted_out": "They have opted out of texts. They get texts again when they send START.",
    "too_late": "It would have come too late to be of use.",
    "cancelled": "The appointment was cancelled before it left.",
    "moved": "The appointment was moved before it left; another text tells of that.",
    "over": "The appointment was over before it left.",
    "unknown_appointment": "Its appointment is not in the record.",
}
_CODES: Mapping[int, str] = {
    30002: "Twilio has suspended the clinic's account.",
    30007: "Carriers take the clinic's texts for spam.",
    30034: "The clinic's number is not registered for texts with US carriers.",
    21408: "The clinic's Twilio account may not text to that country.",
    30006: "The number is of a landline, or cannot be reached.",
    30003: "The phone was off or out of reach.",
}
_FATES: Mapping[Fate, str] = {
    Fate.LATER: "The carrier could not deliver it.",
    Fate.PERMANENT: "This number gets no texts. Ask for another one.",
    Fate.OPTED_OUT: "They have opted out of texts. They get texts again when they send START.",
    Fate.HALT: "Twilio or the carriers refuse what the clinic sends; the clinic's account there has to be mended.",
    Fate.UNKNOWN: "The carrier did not say why.",
}
_NOT_ARRIVED = frozenset({TextStatus.FAILED, TextStatus.UNDELIVERED})


def why_not_arrived(text: Text) -> str | None:
    """Return why a text reached nobody; None while it may still, or when it did."""
    if text.status is TextStatus.OPTED_OUT:
        return _FATES[Fate.OPTED_OUT]
    if text.status is TextStatus.SKIPPED and text.reason:
        return _SKIPPED[text.reason]
    if text.status is TextStatus.RECORDED:
        return "This hub sends no texts: Twilio is not set up."
    if text.status not in _NOT_ARRIVED:
        return None
    if text.error_code is None:
        return "Nobody knows whether it went out: Twilio did not answer clearly."
    return _CODES.get(text.error_code) or _FATES[fate_of_failure(text.error_code)]


def why_kept_back(code: int) -> str:
    """Return what a code says with which carriers keep back a line's texts."""
    return _CODES.get(code) or _FATES[Fate.HALT]
