"""A text that the clinic received."""

from hub.scheduling.values import Id, Instant, Value


class InboundText(Value):
    """One inbound text. `id` is Twilio's MessageSid. `answer` is our reply, None until the text has been handled.

    `phone` is the sender's number in E.164. `our_number` is E.164 or a short code, as Twilio writes it.
    """

    id: Id
    phone: str
    our_number: str
    body: str
    received_at: Instant
    answer: str | None
