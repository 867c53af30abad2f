"""How this hub sends texts: the Twilio account and our sender numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.texting.text import Line
from hub.texting.twilio import Twilio


@dataclass(frozen=True)
class SmsGateway:
    """`numbers` are our sender numbers by line (E.164). `per_second` is the rate limit of each number, in texts.

    Twilio sends status reports to callbacks below `public_url`.
    """

    twilio: Twilio
    numbers: Mapping[Line, str]
    public_url: str
    per_second: float
