"""Delivers accepted texts: each goes through sent and delivered, with a status callback to the hub for each step."""

import asyncio
from collections.abc import Mapping, Sequence

from hub.ops.local.twilio_stub.carrier import Carrier
from hub.ops.local.twilio_stub.faults import CarrierFault
from hub.ops.local.twilio_stub.message import Message, MessageStatus
from hub.ops.local.twilio_stub.webhooks import Webhooks

MAX_IN_DELIVERY = 20_000
"""Texts in delivery at the same time. Beyond that a POST is answered 429, as Twilio does when its queue is full."""
_STEP = 0.15
"""Seconds between two steps: long enough to see each of them on the page."""

Step = tuple[MessageStatus, Sequence[MessageStatus]]
_USUAL: Sequence[Step] = (("sent", ("sent",)), ("delivered", ("delivered",)))
_WITH_FAULT: Mapping[CarrierFault, Sequence[Step]] = {
    "callbacks_twice": (("sent", ("sent", "sent")), ("delivered", ("delivered", "delivered"))),
    "callbacks_reversed": (("sent", ()), ("delivered", ("delivered", "sent"))),
    "callbacks_withheld": (("sent", ()), ("delivered", ())),
    "undelivered": (("sent", ("sent",)), ("undelivered", ("undelivered",))),
}
"""The steps of a delivery: each new status, with the callbacks that are posted then."""


class Deliveries:
    """The texts in delivery, each as a task in `group`."""

    def __init__(self, carrier: Carrier, webhooks: Webhooks, group: asyncio.TaskGroup) -> None:
        self._carrier = carrier
        self._webhooks = webhooks
        self._group = group
        self.in_delivery = 0

    def begin(self, message: Message, fault: tuple[CarrierFault, int] | None) -> None:
        """Start the delivery of a text, with a fault and its error code if given."""
        self.in_delivery += 1
        self._group.create_task(self._deliver(message, fault))

    async def _deliver(self, message: Message, fault: tuple[CarrierFault, int] | None) -> None:
        try:
            for status, reports in _USUAL if fault is None else _WITH_FAULT[fault[0]]:
                await asyncio.sleep(_STEP)
                code = fault[1] if fault is not None and status == "undelivered" else None
                self._carrier.advance(message, status, code)
                for report in reports:
                    await self._webhooks.report(message, report)
        finally:
            self.in_delivery -= 1
