"""The way of an accepted text to its phone: it is sent, delivered, and the hub is told of each step."""

import asyncio
from collections.abc import Mapping, Sequence

from hub.ops.local.twilio_stub.carrier import Carrier
from hub.ops.local.twilio_stub.faults import CarrierFault
from hub.ops.local.twilio_stub.message import Message, MessageStatus
from hub.ops.local.twilio_stub.webhooks import Webhooks

MOST_UNDER_WAY = 20_000
"""Texts that may be under way at once; Twilio, too, answers 429 to more than it takes."""
_STEP = 0.15
"""Seconds from one step to the next: enough to see it happen on the page."""

Step = tuple[MessageStatus, Sequence[MessageStatus]]
_USUAL: Sequence[Step] = (("sent", ("sent",)), ("delivered", ("delivered",)))
_WITH_FAULT: Mapping[CarrierFault, Sequence[Step]] = {
    "callbacks_twice": (("sent", ("sent", "sent")), ("delivered", ("delivered", "delivered"))),
    "callbacks_reversed": (("sent", ()), ("delivered", ("delivered", "sent"))),
    "callbacks_withheld": (("sent", ()), ("delivered", ())),
    "undelivered": (("sent", ("sent",)), ("undelivered", ("undelivered",))),
}
"""What a text comes to, and which callbacks are then posted."""


class Deliveries:
    """The texts under way, each a task in `group`."""

    def __init__(self, carrier: Carrier, webhooks: Webhooks, group: asyncio.TaskGroup) -> None:
        self._carrier = carrier
        self._webhooks = webhooks
        self._group = group
        self.under_way = 0

    def begin(self, message: Message, fault: tuple[CarrierFault, int] | None) -> None:
        """Send a text on its way; `fault` says what goes wrong, and with which error code if it cannot be delivered."""
        self.under_way += 1
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
            self.under_way -= 1
