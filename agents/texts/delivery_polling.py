"""Asks Twilio for the status of sent texts without a report. Status callbacks are best effort and may be lost."""

import asyncio
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from hub.clock import Timekeeper
from hub.records.ports import Records
from hub.texting.reports import record_report
from hub.texting.text import Line, Text
from hub.texting.twilio import Twilio, TwilioUnreachable

log = structlog.get_logger(__name__)
ASKED = Counter("clinic_texts_asked_about_total", "Sent texts without a report whose status was requested from Twilio.")

POLL_INTERVAL = 60.0
"""Seconds between two polls when no text is waiting."""
REPORT_TIMEOUT = timedelta(days=1)
"""How long a text waits for its report. Some carriers never report; their texts keep the status `sent`."""
_LEADER_LOOK_BACK = timedelta(days=2)
"""Extra look-back for a worker that has just become leader. Polling a text again changes nothing."""
_SLICE = timedelta(hours=1)
"""The time span of the outbox that is read at once."""
_LINES: tuple[Line, ...] = ("patient", "doctor")


class DeliveryPolling:
    """Reads the outbox one day behind the sender and polls Twilio at the sender's rate."""

    def __init__(self, records: Records, clock: Timekeeper, twilio: Twilio, per_second: float) -> None:
        self._records = records
        self._clock = clock
        self._twilio = twilio
        self._per_second = per_second
        self._polled_until: datetime | None = None

    async def poll(self) -> bool:
        """Poll Twilio for the texts of the next slice. Returns whether another slice is already due."""
        latest = self._clock() - REPORT_TIMEOUT
        earliest = latest - _LEADER_LOOK_BACK
        begin = max(self._polled_until or earliest, earliest)
        end = min(begin + _SLICE, latest)
        try:
            for line in _LINES:
                for text in await self._records.texts.sent_between(line, begin, end):
                    await self._update(text)
                    await asyncio.sleep(1 / self._per_second)
        except TwilioUnreachable as error:
            log.warning("texts_not_polled", cause=str(error))
            return False  # the next poll repeats this slice
        self._polled_until = end
        return end < latest

    async def _update(self, text: Text) -> None:
        if text.sid is None:
            return
        ASKED.inc()
        report = await self._twilio.fetch(text.sid)
        if report is not None:
            await record_report(self._records, text.id, report, self._clock())
