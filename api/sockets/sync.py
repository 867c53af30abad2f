"""`sync`: what somebody missed, or one's own appointments as they are, and how far that is."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from prometheus_client import Counter

from api.sockets.appointments import Answer
from api.sockets.inbound import Sync, read
from api.sockets.limits import Limits
from api.sockets.resync import OwnRecord
from api.sockets.rooms import past_event
from api.sockets.session import Client
from api.sockets.subscriptions import Gone
from hub.clock import Clock
from hub.scheduling.views import schedule_view, view

SYNCS = Counter("clinic_syncs_total", "Answers to `sync`, by mode: a resume tells what was missed.", ["mode"])

RECENT = timedelta(days=1)
"""The snapshot holds what starts from this long ago on, however it stands."""
FAR_BEHIND = 1000
"""Events; who has missed more gets a snapshot, which is no longer than a few months of a calendar."""


class Syncing:
    """Answers from the record, so it matters neither which process told a client something nor what the bus lost.

    The client has been told its own events since before we read, so no event lies between the answer and the next one
    told. Some lie on both sides: a client keeps what it is told until the answer, and compares `seq` with `position`.
    """

    def __init__(self, own: OwnRecord, clock: Clock, limits: Limits) -> None:
        self._own = own
        self._clock = clock
        self._turns = asyncio.Semaphore(limits.syncs_at_once)
        self._within = limits.sync_within

    async def sync(self, client: Client, args: Sequence[object]) -> Answer:
        """Return the events after `since` or, without it or when that is no position to go on from, a snapshot.

        `position` maps the id of each of the person's doctors to the last `seq` that the answer holds. A doctor's
        snapshot has the own hours, too. Raises TimeoutError when it takes too long, and `Gone` when nobody waits for it
        any more.
        """
        since = read(Sync, args).since
        async with asyncio.timeout(self._within), self._turns:
            if client.gone:
                raise Gone
            return await self._answer(client, since)

    async def _answer(self, client: Client, since: Mapping[str, int] | None) -> Answer:
        missed = None if since is None else await self._own.missed(client.identity, since, FAR_BEHIND)
        if missed:
            SYNCS.labels("resume").inc()
            events = [past_event(past) for past in missed.events]
            return {"mode": "resume", "events": events, "position": missed.position}
        SYNCS.labels("snapshot").inc()
        snapshot = await self._own.snapshot(client.identity, self._clock() - RECENT)
        shown = [view(appointment).model_dump(mode="json", by_alias=True) for appointment in snapshot.appointments]
        answer: Answer = {"mode": "snapshot", "appointments": shown, "position": snapshot.position}
        if snapshot.doctor:
            answer["calendar"] = schedule_view(snapshot.doctor).model_dump(mode="json", by_alias=True)
        return answer
