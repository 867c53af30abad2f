"""Log-ins that have ended while access tokens of them have not expired: such a token opens nothing any more.

Access tokens are checked without asking the database, so each api process keeps in memory which log-ins have ended,
for as long as a token of theirs could hold. The processes tell each other over the bus, at once. The record is the
truth: it is read before the process counts as ready, and compared with now and then, so that an emptied broker or a
process that died between the two hides nothing for long.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge

from hub.accounts.ports import SessionRecords
from hub.bus.messages import SessionEnded
from hub.bus.ports import SessionAnnouncer
from hub.clock import Clock
from hub.records.errors import StoreUnavailable

ENDED = Gauge("clinic_sessions_ended", "Log-ins that have ended and of which a token could still be in use.")
LATE = Counter("clinic_sessions_ended_late_total", "Ended log-ins of which only the record told us.")

COMPARE_EVERY = 2.0
"""Seconds between two comparisons with the record."""
_SLACK = timedelta(minutes=1)
"""What clocks may differ by, and a refresh may take that was under way when its log-in ended."""


class Revocations:
    """Knows the ended log-ins. Tokens hold for `lifetime`, so after that nobody needs to know."""

    def __init__(
        self, sessions: SessionRecords, announcing: SessionAnnouncer, lifetime: timedelta, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._announcing = announcing
        self._keep = lifetime + _SLACK
        self._clock = clock
        self._ended: dict[str, datetime] = {}
        self._compared: datetime | None = None
        ENDED.set_function(lambda: len(self._ended))

    def ended(self, session_id: str) -> bool:
        """Whether the log-in has ended."""
        return session_id in self._ended

    def heard(self, ended: SessionEnded) -> None:
        """Take what another process, or this one, has said over the bus."""
        self._ended[ended.session_id] = ended.at

    async def announce(self, session_id: str, at: datetime) -> None:
        """Let the log-in be over here at once, and soon everywhere; the record says so already."""
        ended = SessionEnded(session_id=session_id, at=at)
        self.heard(ended)
        await self._announcing.announce(ended)

    async def compare(self) -> None:
        """Learn from the record what we do not know, and forget what nobody needs. Raises `StoreUnavailable`."""
        now = self._clock()
        first = self._compared is None
        since = now - self._keep if self._compared is None else self._compared - _SLACK
        for session_id, at in (await self._sessions.revoked_since(since)).items():
            if session_id not in self._ended and not first:
                LATE.inc()
            self._ended[session_id] = at
        self._compared = now
        for session_id in [session_id for session_id, at in self._ended.items() if at + self._keep < now]:
            del self._ended[session_id]

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await asyncio.sleep(COMPARE_EVERY)
            with suppress(StoreUnavailable):  # what is missed now is found next time; readiness shows the outage
                await self.compare()
