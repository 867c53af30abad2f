"""A text message, and its form in Twilio's API."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from hub.texting.segments import segments

API_VERSION = "2010-04-01"

Direction = Literal["outbound-api", "outbound-reply", "inbound"]
MessageStatus = Literal["queued", "sent", "delivered", "undelivered", "received"]


@dataclass
class Message:
    """A text. `number` counts all texts of this process; `text_id` is the hub's own id, taken from the callback URL."""

    number: int
    sid: str
    direction: Direction
    sender: str
    recipient: str
    body: str
    created_at: datetime
    status: MessageStatus
    callback: str | None = None
    text_id: str | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    error_code: int | None = None

    @property
    def phone(self) -> str:
        """The number of the person, who may be sender or recipient."""
        return self.sender if self.direction == "inbound" else self.recipient


def resource(message: Message, account: str) -> dict[str, object]:
    """Return the message as in the answer of `GET …/Messages/{SID}.json`: snake case, dates in the RFC 2822 format."""
    uri = f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}"
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": format_datetime(message.created_at),
        "date_sent": None if message.sent_at is None else format_datetime(message.sent_at),
        "date_updated": format_datetime(message.updated_at or message.created_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }
