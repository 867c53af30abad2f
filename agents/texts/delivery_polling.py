"""Asks Twilio about texts of which no report has come since they were sent: reports are best effort, and get lost."""

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
ASKED = Counter("clinic_texts_asked_about_total", "Texts without a report of which Twilio was asked what became.")

POLL_INTERVAL = 60.0
"""Seconds between two looks whether there is a text to ask about."""
REPORT_TIMEOUT = timedelta(days=1)
"""How long a text waits for its report. Not every carrier reports, so for some `sent` stays the last word."""
_ASK_BACK = timedelta(days=2)
"""How much further back who begins to lead looks; what was asked then is asked once more, which changes nothing."""
_SLICE = timedelta(hours=1)
"""What is read of the outbox at a time."""
_LINES: tuple[Line, ...] = ("patient", "doctor")


class DeliveryPolling:
    """Goes through the outbox, a day behind the sender and at the same pace."""

    def __init__(self, records: Records, clock: Timekeeper, twilio: Twilio, per_second: float) -> None:
        self._records = records
        self._clock = clock
        self._twilio = twilio
        self._per_second = per_second
        self._asked_until: datetime | None = None

    async def ask(self) -> bool:
        """Ask about the texts of the next slice; return whether there is another one to ask about already."""
        latest = self._clock() - REPORT_TIMEOUT
        earliest = latest - _ASK_BACK
        begin = max(self._asked_until or earliest, earliest)
        end = min(begin + _SLICE, latest)
        try:
            for line in _LINES:
                for text in await self._records.texts.sent_between(line, begin, end):
                    await self._ask_about(text)
                    await asyncio.sleep(1 / self._per_second)
        except TwilioUnreachable as error:
            log.warning("texts_not_asked_about", cause=str(error))
            return False  # this slice again, at the next look
        self._asked_until = end
        return end < latest

    async def _ask_about(self, text: Text) -> None:
        if text.sid is None:
            return
        ASKED.inc()
        report = await self._twilio.fetch(text.sid)
        if report is not None:
            await record_report(self._records, text.id, report, self._clock())
