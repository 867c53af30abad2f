"""Paths of the api that Twilio calls. The sender tells Twilio these URLs; the api serves them."""

from urllib.parse import urlencode

WEBHOOK = "/api/v1/twilio/webhook"
"""Twilio posts inbound texts here."""
STATUS = "/api/v1/twilio/status"
"""Twilio posts the delivery status of a text here."""
TEXT = "text"
"""Query parameter of `STATUS` with our text id. It identifies the text even if Twilio's answer to our POST was lost."""


def status_callback(public_url: str, text_id: str) -> str:
    """Return the URL at which Twilio reports the status of a text. `public_url` has no slash at the end."""
    return f"{public_url}{STATUS}?{urlencode({TEXT: text_id})}"
