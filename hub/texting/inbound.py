"""Reads the intent of an inbound text."""

import unicodedata
from enum import StrEnum


class Intent(StrEnum):
    """What the sender of an inbound text asks for."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    STOP = "stop"
    """Send no more texts. Carriers and Twilio act on the words in `CARRIERS_STOP`; the hub understands more words."""
    START = "start"
    HELP = "help"
    OTHER = "other"


CARRIERS_STOP = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
"""A text that is one of these words, in any case, makes Twilio block our number for that phone before we receive it."""
CARRIERS_START = frozenset({"start", "yes", "unstop"})
CARRIERS_HELP = frozenset({"help", "info"})

_POLITE = frozenset({"please", "pls", "plz", "thanks", "thank", "you", "thx", "ok", "okay", "hi", "hello"})
_IT = frozenset({"i", "ill", "we", "will", "want", "wish", "would", "like", "to", "my", "the", "it", "appointment"})
_CONFIRM = frozenset({"1", "one", "confirm", "confirmed", "confirming"})
_CANCEL = frozenset({"2", "two", "cancel", "cancelled", "canceled", "canceling", "cancelling"})
_STOP = frozenset({"stop", "unsubscribe"})
_TEXTS = frozenset(
    {"text", "texts", "texting", "message", "messages", "sms", "sending", "me", "these", "all", "it", "i", "want", "to"}
)
_APOSTROPHES = dict.fromkeys(map(ord, "'\N{RIGHT SINGLE QUOTATION MARK}"))


def intent_of(body: str, opt_out_type: str | None = None) -> Intent:
    """Return the intent of a text. `opt_out_type` is Twilio's reading of it, if Twilio's Advanced Opt-Out is on.

    The script of digits, punctuation, case and polite words do not matter. A text with two intents or with an
    unexpected word is OTHER: a guess must not cancel an appointment.
    """
    if opt_out_type and opt_out_type.lower() in {Intent.STOP, Intent.START, Intent.HELP}:
        return Intent(opt_out_type.lower())
    words = _words(body)
    if keyword := _carrier_keyword(words):
        return keyword
    said = frozenset(words) - _POLITE
    if said & _STOP and said <= _STOP | _TEXTS:
        return Intent.STOP
    if said & _CONFIRM and said <= _CONFIRM | _IT | CARRIERS_START:
        return Intent.CONFIRM
    if said & _CANCEL and said <= _CANCEL | _IT:
        return Intent.CANCEL
    if said & CARRIERS_HELP and said <= CARRIERS_HELP | _IT | {"me"}:
        return Intent.HELP
    return Intent.OTHER


def _carrier_keyword(words: list[str]) -> Intent | None:
    """Return the intent of a text that is only a carrier keyword. "opt-out" and "stop all" count as one keyword."""
    alone = "".join(words)
    if alone in CARRIERS_STOP:
        return Intent.STOP
    if alone in CARRIERS_START:
        return Intent.START
    return Intent.HELP if alone in CARRIERS_HELP else None


def _words(body: str) -> list[str]:
    """Return the words in lower case. A keycap, full-width or Arabic 1 becomes "1". Other signs separate words."""
    plain = unicodedata.normalize("NFKC", body).casefold().translate(_APOSTROPHES)
    characters = (str(unicodedata.decimal(each)) if each.isdecimal() else each for each in plain)
    return "".join(each if each.isalnum() else _separator(each) for each in characters).split()


def _separator(character: str) -> str:
    # A combining mark, such as the frame of a keycap, belongs to the character before it.
    return "" if unicodedata.category(character).startswith("M") else " "
