"""Where Twilio reaches the hub, as both that which tells Twilio so and that which answers there have to know."""

from urllib.parse import urlencode

WEBHOOK = "/api/v1/twilio/webhook"
"""Where texts come in."""
STATUS = "/api/v1/twilio/status"
"""Where Twilio says what has become of a text."""
TEXT = "text"
"""The parameter of `STATUS` with our id of the text: it links the two even if the answer to our POST was lost."""


def status_callback(public_url: str, text_id: str) -> str:
    """Return the address at which Twilio shall say what becomes of a text. `public_url` has no slash at the end."""
    return f"{public_url}{STATUS}?{urlencode({TEXT: text_id})}"
