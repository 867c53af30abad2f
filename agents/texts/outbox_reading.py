"""Which texts of a line are sent next, read so that a long queue is not read again and again.

The embedded engine reads all that is due for each read, however few are asked for and in whatever order. So while much
waits, the longest waiting are read, and further reads go up to the last of them, until half of them are gone. Urgent
texts leave first, although they became due last: they are looked for among what has become due since the last look, and
once a minute among all, because an urgent one may be planned late, for a time that has passed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.clock import Clock
from hub.texting.ports import TextRecords
from hub.texting.text import URGENT, Line, Text

READ_LIMIT = 200
"""Texts that are read from the outbox at once."""
_OVERLAP = timedelta(seconds=10)
"""By how much two looks for urgent texts overlap: a text is stored a moment after the time that it is due from."""
_WHOLE_LOOK = timedelta(minutes=1)
"""Between two looks for urgent texts among all that are due."""


class OutboxReader:
    """Reads the due texts of one line."""

    def __init__(self, texts: TextRecords, line: Line, clock: Clock) -> None:
        self._texts = texts
        self._line = line
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Read everything the next time, as at the beginning: another worker may have sent in between."""
        self._last_waiting: datetime | None = None
        self._looked_at: datetime | None = None
        self._looked_at_all: datetime | None = None

    async def due(self) -> Sequence[Text]:
        """Return the due texts, or the longest waiting when there are many; the urgent ones come first."""
        now = self._clock()
        read = await self._longest_waiting(now)
        if self._last_waiting is None:
            urgent = [text for kind in URGENT for text in read if text.kind == kind]
        else:  # there may be urgent ones behind them
            urgent = await self._urgent(now)
        return list({text.id: text for text in (*urgent, *read)}.values())

    async def _longest_waiting(self, now: datetime) -> list[Text]:
        if self._last_waiting is not None:
            read = await self._texts.due(self._line, min(self._last_waiting, now), READ_LIMIT)
            if len(read) > READ_LIMIT // 2:
                return read
        read = await self._texts.due(self._line, now, READ_LIMIT)
        self._last_waiting = read[-1].not_before if len(read) == READ_LIMIT else None
        if self._last_waiting is None:
            self._looked_at = self._looked_at_all = None
        return read

    async def _urgent(self, now: datetime) -> list[Text]:
        since = None
        if self._looked_at and self._looked_at_all and now - self._looked_at_all < _WHOLE_LOOK:
            since = self._looked_at - _OVERLAP
        found = await self._texts.urgent(self._line, now, READ_LIMIT, since)
        if since is None:
            self._looked_at_all = now
        # What was found may be more than can be sent until the next look, which then has to find it again.
        self._looked_at = None if found else now
        return found
