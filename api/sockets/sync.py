"""`sync`: the events that a client missed, or a snapshot of its own appointments, and the position of either."""

import asyncio
from collections.abc import Mapping

from prometheus_client import Counter

from api.sockets.emissions import recorded_event
from api.sockets.limits import Limits
from api.sockets.resync import ResyncReader
from api.sockets.session import Disconnected, Session
from hub.clock import Clock
from hub.scheduling.views import schedule_view, view

SYNCS = Counter("clinic_syncs_total", "Answers to `sync`, by mode: a resume holds the missed events.", ["mode"])


class Sync:
    """Answers from the record, so neither lost notices nor a change of the process matter.

    The session has been sent its own events since before the read, so no event falls between the answer and the next
    event sent. An event may be in both: a client buffers events until the answer, and compares `seq` with `position`.
    """

    def __init__(self, resync: ResyncReader, clock: Clock, limits: Limits) -> None:
        self._resync = resync
        self._clock = clock
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.syncs_at_once)

    async def answer(self, session: Session, since: Mapping[str, int] | None) -> dict[str, object]:
        """Return the events after `since`. Without it, or if no resume from it is possible, return a snapshot.

        `position` maps the id of each of the person's doctors to the last `seq` that the answer holds. A doctor's
        snapshot holds the doctor's schedule too. Raises TimeoutError, and `Disconnected` if the client has left.
        """
        async with asyncio.timeout(self._limits.sync_within), self._turns:
            if session.ended:
                raise Disconnected
            return await self._read(session, since)

    async def _read(self, session: Session, since: Mapping[str, int] | None) -> dict[str, object]:
        missed = None
        if since is not None:
            missed = await self._resync.missed(session.identity, since, self._limits.resume_events)
        if missed:
            SYNCS.labels("resume").inc()
            events = [recorded_event(each) for each in missed.events]
            return {"mode": "resume", "events": events, "position": missed.position}
        SYNCS.labels("snapshot").inc()
        snapshot = await self._resync.snapshot(session.identity, self._clock() - self._limits.snapshot_from)
        shown = [view(appointment).model_dump(mode="json", by_alias=True) for appointment in snapshot.appointments]
        answer: dict[str, object] = {"mode": "snapshot", "appointments": shown, "position": snapshot.position}
        if snapshot.doctor:
            answer["calendar"] = schedule_view(snapshot.doctor).model_dump(mode="json", by_alias=True)
        return answer
