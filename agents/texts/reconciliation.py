"""Settles texts of unknown outcome: the process died after the claim, or Twilio did not answer clearly.

It searches for the text in Twilio's message list. The rules are in `docs/texts.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from agents.texts.gateway import SmsGateway
from hub.clock import Timekeeper
from hub.records.ports import Records
from hub.texting.text import AccountTextKind, StatusUpdate, Text, TextKind, TextStatus
from hub.texting.twilio import TwilioUnreachable

log = structlog.get_logger(__name__)

CHECK_INTERVAL = 5.0
"""Seconds between two reads of the texts of unknown outcome."""
FIRST_CHECK, LAST_CHECK = timedelta(seconds=30), timedelta(minutes=2)
"""Time after the attempt at which Twilio's list is first read, and after which a reminder not in it was never sent."""
_MAX_REPAIRS: Mapping[TextKind | AccountTextKind, int] = {
    "reminder": 1,
    "offer": 1,
    "booked": 2,
    "rescheduled": 2,
    "cancelled": 2,
    "code": 2,
    "account_changed": 2,
}
"""How often a text may be posted again after an attempt of unknown outcome that Twilio does not list."""


class Reconciliation:
    """Settles texts of unknown outcome while `is_leading` returns true."""

    def __init__(
        self, records: Records, clock: Timekeeper, gateway: SmsGateway, is_leading: Callable[[], bool]
    ) -> None:
        self._records = records
        self._clock = clock
        self._gateway = gateway
        self._is_leading = is_leading

    async def check(self) -> bool:
        """Search for all texts of unknown outcome. Returns False: the caller always waits before the next check."""
        until = self._clock() - FIRST_CHECK * self._clock.rate
        gateway = self._gateway
        for text in await self._records.texts.unsettled(until):
            if text.phone is None or not self._is_leading():
                continue
            try:
                found = await gateway.twilio.find(text.phone, text.body, gateway.numbers[text.line], text.created_at)
            except TwilioUnreachable as error:
                log.warning("text_search_failed", text_id=text.id, cause=str(error))
                continue  # the error may concern only this text
            if sid := await self._own_sid(text, found):
                await self._records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid=sid), self._clock())
            else:
                await self._handle_absent(text)
        return False

    async def _own_sid(self, text: Text, sids: Sequence[str]) -> str | None:
        """Return the first SID that does not belong to another text."""
        for sid in sids:
            owner = await self._records.texts.by_sid(sid)
            if owner is None or owner.id == text.id:
                return sid
        return None

    async def _handle_absent(self, text: Text) -> None:
        """Repeat or give up a text that Twilio does not list."""
        now = self._clock()
        if text.kind == "reminder" and now - text.updated_at < LAST_CHECK * self._clock.rate:
            return  # Twilio's list may lag behind; a second reminder is worse than a late one
        if text.repairs >= _MAX_REPAIRS[text.kind] or now >= text.useless_after:
            await self._records.texts.settle(text.id, StatusUpdate(TextStatus.FAILED), now)
            log.warning("text_given_up", text_id=text.id, kind=text.kind, attempts=text.attempts)
        else:
            await self._records.texts.repair(text, now)
