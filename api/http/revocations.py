"""Log-ins that have ended although their access tokens have not expired: these tokens are refused.

An access token is verified without a read of the database, so each api process keeps in memory which log-ins have
ended, for as long as a token of such a log-in could be valid. The processes announce ended log-ins to each other over
the bus. The database decides: it is read before the process is ready, and then every few seconds, in case the broker
lost an announcement or a process died before it announced.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from uuid import UUID

from prometheus_client import Counter, Gauge

from hub.accounts.ports import RESTORED, SessionRecords
from hub.bus.messages import SessionEnded
from hub.bus.ports import SessionAnnouncer
from hub.clock import Clock
from hub.records.errors import StoreUnavailable

ENDED = Gauge("clinic_sessions_ended", "Ended log-ins whose access tokens have not expired.")
LATE = Counter(
    "clinic_sessions_ended_late_total",
    "Ended log-ins that only the database knew: the bus did not announce them.",
)

_SLACK = timedelta(minutes=1)
"""Tolerance for clocks that differ, and for a token refresh that was running when its log-in ended."""


class Revocations:
    """Keeps the ended log-ins, each for `lifetime`, which is the longest that an access token is valid."""

    def __init__(
        self,
        sessions: SessionRecords,
        announcer: SessionAnnouncer,
        lifetime: timedelta,
        clock: Clock,
        compare_every: float,
    ) -> None:
        self._sessions = sessions
        self._announcer = announcer
        self._keep = lifetime + _SLACK
        self._clock = clock
        self._compare_every = compare_every
        self._ended: dict[str, datetime] = {}
        self._compared: datetime | None = None
        self._restored_at: int | None = None
        """The database was restored then (machine time in milliseconds): it does not know what log-ins there were."""
        ENDED.set_function(lambda: len(self._ended))

    def ended(self, session_id: str) -> bool:
        """Whether the log-in has ended."""
        if session_id in self._ended:
            return True
        return self._restored_at is not None and _made_at(session_id) < self._restored_at

    def receive(self, ended: SessionEnded) -> None:
        """Take in an announcement that came over the bus, also from this process."""
        self._ended[ended.session_id] = ended.at

    async def announce(self, session_id: str, at: datetime) -> None:
        """End the log-in in this process at once and announce it to the others. The database has it already."""
        ended = SessionEnded(session_id=session_id, at=at)
        self.receive(ended)
        await self._announcer.announce(ended)

    async def compare(self) -> None:
        """Read newly ended log-ins from the database, and drop the old ones. Raises `StoreUnavailable`."""
        now = self._clock()
        first = self._compared is None
        since = now - self._keep if self._compared is None else self._compared - _SLACK
        for session_id, at in (await self._sessions.revoked_since(since)).items():
            if session_id not in self._ended and not first:
                LATE.inc()
            self._ended[session_id] = at
            if session_id.startswith(RESTORED):
                self._restored_at = max(self._restored_at or 0, int(session_id.removeprefix(RESTORED)))
        self._compared = now
        for session_id in [session_id for session_id, at in self._ended.items() if at + self._keep < now]:
            del self._ended[session_id]

    async def run(self) -> None:
        """Compare with the database every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(self._compare_every)
            # A failed comparison loses nothing: the next one finds what it missed, and /health/ready shows the outage.
            with suppress(StoreUnavailable):
                await self.compare()


def _made_at(session_id: str) -> float:
    """Return when a log-in began (machine time, ms), as its UUIDv7 says; infinity for an id of another form."""
    try:
        return UUID(session_id).int >> 80
    except ValueError:
        return inf
