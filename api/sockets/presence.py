"""Notes in the record which of the connected patients wait: outside the hours for texts only they are offered slots.

The note expires unless it is made again. So a process that is killed leaves a patient connected for some seconds too
long, and a patient who loses the connection as well: such an offer lapses like any that nobody answers.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from api.sockets.limits import Limits
from api.sockets.session import SessionRegistry
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

_KEPT = 3
"""For how many intervals a note is true: one that comes late does not end it."""


class Presence:
    """The connected patients of this process, for the agents."""

    def __init__(self, sessions: SessionRegistry, records: Records, clock: Clock, limits: Limits) -> None:
        self._sessions = sessions
        self._records = records
        self._clock = clock
        self._interval = limits.presence_every

    async def run(self) -> None:
        """Make the notes until cancelled."""
        while True:
            with suppress(StoreUnavailable):  # what cannot be noted expires
                await self.note()
            await asyncio.sleep(self._interval)

    async def note(self) -> None:
        """Note who is connected now and waits. Raises `StoreUnavailable`."""
        if not self._sessions.patients():
            return
        waiting = await self._records.waitlist.waiting_patients()
        present = waiting & self._sessions.patients()
        until = self._clock() + timedelta(seconds=_KEPT * self._interval)
        await self._records.presence.mark(present, until)
