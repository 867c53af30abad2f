"""A text that came in from somebody's phone."""

from hub.scheduling.values import Id, Instant, Value


class InboundText(Value):
    """What somebody sent us. `id` is Twilio's MessageSid; `answer` is what they were told, None until that is known.

    `phone` and `our_number` are as Twilio writes them (E.164, or a short code for ours).
    """

    id: Id
    phone: str
    our_number: str
    body: str
    received_at: Instant
    answer: str | None
