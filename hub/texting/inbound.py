"""What somebody means who texts us."""

import unicodedata
from enum import StrEnum


class Intent(StrEnum):
    """What an answer asks for."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    STOP = "stop"
    """No more texts. Carriers and Twilio obey the words of `CARRIERS_STOP` by themselves; we do it for more."""
    START = "start"
    HELP = "help"
    OTHER = "other"


CARRIERS_STOP = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"})
"""Any of these, alone and in any case, makes Twilio block our number for that phone, before we hear of it."""
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
    """Return what a text means; `opt_out_type` is what Twilio took it for, where its Advanced Opt-Out is on.

    Digits of any script, punctuation, case and politeness do not matter. What says more than one thing, or has a word
    that we do not expect, is OTHER: nobody's appointment is cancelled by a guess.
    """
    if opt_out_type and opt_out_type.lower() in {Intent.STOP, Intent.START, Intent.HELP}:
        return Intent(opt_out_type.lower())
    words = _words(body)
    if carriers := _as_carriers_read(words):
        return carriers
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


def _as_carriers_read(words: list[str]) -> Intent | None:
    """Return what a text is that is one of the carriers' words and nothing else, "opt-out" and "stop all" included."""
    alone = "".join(words)
    if alone in CARRIERS_STOP:
        return Intent.STOP
    if alone in CARRIERS_START:
        return Intent.START
    return Intent.HELP if alone in CARRIERS_HELP else None


def _words(body: str) -> list[str]:
    """Return the words in lower case. A keycap, a full-width or an Arabic 1 is a 1; other signs part words."""
    plain = unicodedata.normalize("NFKC", body).casefold().translate(_APOSTROPHES)
    signs = (str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in plain)
    return "".join(sign if sign.isalnum() else _gap(sign) for sign in signs).split()


def _gap(sign: str) -> str:
    # A mark belongs to the sign before it, as the frame of a keycap does.
    return "" if unicodedata.category(sign).startswith("M") else " "
