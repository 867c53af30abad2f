"""Stops or slows a line that cannot deliver: Twilio refuses all its texts, or carriers block them."""

import asyncio
from datetime import timedelta

import structlog

from hub.clock import Timekeeper
from hub.texting.ports import LineHalts
from hub.texting.text import Line

log = structlog.get_logger(__name__)

PROBE_INTERVAL = 60.0
"""Seconds between two texts that probe whether the line works again."""
BLOCKED_FOR = timedelta(minutes=10)
"""How long after carriers last reported that they block a line it only probes. Only the next reports show whether the
cause has been corrected; that Twilio accepts a text proves nothing."""
_REPORT_CACHE = 2.0
"""Cache lifetime of the last report of a block, in seconds."""


class LineThrottle:
    """The state of one line. `number` is its sender number, None if texts are only recorded."""

    def __init__(self, line: Line, number: str | None, halts: LineHalts, clock: Timekeeper) -> None:
        self._line = line
        self._number = number
        self._halts = halts
        self._clock = clock
        self._paused_until: float | None = None
        self._blocked = False
        self._read_at: float | None = None

    def is_paused(self) -> bool:
        """Whether the line must not send now."""
        return self._paused_until is not None and _now() < self._paused_until

    def is_probing(self) -> bool:
        """Whether no text has been accepted since the last pause began."""
        return self._paused_until is not None

    def pause(self) -> None:
        """Send nothing for `PROBE_INTERVAL` seconds."""
        self._paused_until = _now() + PROBE_INTERVAL

    def resume(self) -> None:
        """Send at full rate again, because Twilio accepted a text."""
        self._paused_until = None

    async def is_blocked(self) -> bool:
        """Return whether carriers recently reported that they block the texts of this line."""
        now = _now()
        if self._number and (self._read_at is None or now >= self._read_at + _REPORT_CACHE):
            halt = await self._halts.latest(self._number)
            self._read_at = now
            blocked = halt is not None and self._clock() < halt.at + BLOCKED_FOR * self._clock.rate
            if halt and blocked and not self._blocked:
                log.error("texts_slowed", line=self._line, code=halt.code, one_in_s=PROBE_INTERVAL)
            self._blocked = blocked
        return self._blocked


def _now() -> float:
    return asyncio.get_running_loop().time()
