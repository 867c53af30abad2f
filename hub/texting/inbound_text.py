"""A text that the clinic received."""

from hub.scheduling.values import Id, Instant, Value


class InboundText(Value):
    """One inbound text. `id` is Twilio's MessageSid. `answer` is our reply, None until the text has been handled.

    `about` is the id of the appointment that the text is about, fixed when the text is first handled. `decided` tells
    whether our reply said what has become of that appointment; it does not if the sender was asked to try again.
    `phone` is the sender's number in E.164. `our_number` is E.164 or a short code, as Twilio writes it.
    """

    id: Id
    phone: str
    our_number: str
    body: str
    received_at: Instant
    answer: str | None
    about: Id | None = None
    decided: bool = False
