"""Deletes texts whose time of retention is over. Every api process does it; what another one has deleted is gone."""

import asyncio
from datetime import timedelta

import structlog

from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

log = structlog.get_logger(__name__)

_SIGN_UP_CODES = timedelta(days=1)
"""The code of a sign-up is kept for this long. Its phone may be of nobody who has an account, and is then of no use."""
_EVERY = 3600.0
"""Seconds between two looks."""


class Retention:
    """Keeps texts for `text_days` and texts of patients for `inbound_text_days`; 0: for ever.

    The codes of sign-ups are kept for a day.
    """

    def __init__(
        self, records: Records, clock: Clock, *, text_days: int, inbound_text_days: int, every: float = _EVERY
    ) -> None:
        self._records = records
        self._clock = clock
        self._text_days = text_days
        self._inbound_text_days = inbound_text_days
        self._every = every

    async def run(self) -> None:
        """Delete what is too old, for ever."""
        while True:
            try:
                await self.delete()
            except StoreUnavailable as error:
                log.warning("old_texts_not_deleted", cause=str(error))
            await asyncio.sleep(self._every)

    async def delete(self) -> None:
        """Delete what is too old now. Raises `StoreUnavailable`."""
        now, received = self._clock(), 0
        sent = await self._records.texts.delete_of_sign_ups(now - _SIGN_UP_CODES)
        if self._text_days:
            sent += await self._records.texts.delete_before(now - timedelta(days=self._text_days))
        if self._inbound_text_days:
            received = await self._records.inbound_texts.delete_before(now - timedelta(days=self._inbound_text_days))
        if sent or received:
            log.info("old_texts_deleted", texts=sent, inbound_texts=received)
