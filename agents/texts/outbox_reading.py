"""Which texts of a line are sent next, read so that a long queue is not read again and again.

The embedded engine reads all that is due for each read, however few are asked for and in whatever order. So while much
waits, the longest waiting are read, and further reads go up to the last of them, until half of them are gone. Urgent
texts leave first, although they became due last: while much waits, they are read as queues of their own.
"""

from collections.abc import Sequence
from datetime import datetime

from hub.clock import Clock
from hub.texting.ports import TextRecords
from hub.texting.text import URGENT, Line, Text, UrgentKind

READ_LIMIT = 200
"""Texts that are read from a queue at once."""


class OutboxReader:
    """Reads the due texts of one line."""

    def __init__(self, texts: TextRecords, line: Line, clock: Clock) -> None:
        self._texts = texts
        self._line = line
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Read everything the next time, as at the beginning: another worker may have sent in between."""
        self._all = _Queue(self._texts, self._line)
        self._urgent = {kind: _Queue(self._texts, self._line, kind) for kind in URGENT}

    async def due(self) -> Sequence[Text]:
        """Return the due texts, or the longest waiting when there are many; the urgent ones come first."""
        now = self._clock()
        read = await self._all.longest_waiting(now)
        if self._all.is_long:  # there may be urgent ones behind them
            urgent = [text for queue in self._urgent.values() for text in await queue.longest_waiting(now)]
        else:
            urgent = [text for kind in URGENT for text in read if text.kind == kind]
        return list({text.id: text for text in (*urgent, *read)}.values())


class _Queue:
    """The due texts of a line, or of one of its urgent kinds."""

    def __init__(self, texts: TextRecords, line: Line, kind: UrgentKind | None = None) -> None:
        self._texts = texts
        self._line = line
        self._kind = kind
        self._last: datetime | None = None
        """The time from which the last of those was due that were read when there were more."""

    @property
    def is_long(self) -> bool:
        """Whether more are due than are read at once."""
        return self._last is not None

    async def longest_waiting(self, now: datetime) -> list[Text]:
        if self._last is not None:
            read = await self._read(min(self._last, now))
            if len(read) > READ_LIMIT // 2:
                return read
        read = await self._read(now)
        self._last = read[-1].not_before if len(read) == READ_LIMIT else None
        return read

    async def _read(self, until: datetime) -> list[Text]:
        return await self._texts.due(self._line, until, READ_LIMIT, self._kind)
