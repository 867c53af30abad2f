"""A view store over a real feed and a store in memory, with a clock, an outage switch and held notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.views.view_store import ViewIntervals, ViewStore
from hub.bus.feed import Feed, FeedIntervals
from hub.bus.messages import Notice
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from tests.agents.actor_fixtures import InterceptedRecords, SharedStore, notices

INTERVALS = ViewIntervals(proven_for=6.0, in_flight=0.02)


@dataclass
class Process:
    """One api process: its feed, its views, and what it reads from the record."""

    store: SharedStore
    budget: int = 1_000_000
    now: float = 1000.0
    """The monotonic time of the process, in seconds."""
    away: bool = False
    """Whether the database does not answer."""
    reads: Counter[str] = field(default_factory=Counter)
    before_read: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """Awaited once, before the next read of this name."""

    def __post_init__(self) -> None:
        self.records = InterceptedRecords(self.store.records, self._before)
        self.feed = Feed(self.records, self._deliver, FeedIntervals(compare_every=3600, in_flight=0, retry_after=0.005))
        self.views = ViewStore(
            self.records, self.feed, lambda: self.store.now, lambda: self.now, self.budget, INTERVALS
        )
        self.compared()

    def compared(self) -> None:
        """Say that the feed has been compared with the record now."""
        self.feed.state.compared_at = self.now

    def receive(self, told: Sequence[Notice]) -> None:
        for notice in told:
            self.feed.receive(notice)

    async def _before(self, name: str) -> None:
        self.reads[name] += 1
        if name in self.before_read:
            await self.before_read.pop(name)()
        if self.away:
            raise StoreUnavailable("the database does not answer")

    def _deliver(self, notice: Notice) -> None:
        self.views.on_notice(notice)


@asynccontextmanager
async def process(store: SharedStore, budget: int = 1_000_000) -> AsyncIterator[Process]:
    """Run an api process."""
    running = Process(store, budget)
    task = asyncio.create_task(running.feed.run())
    await asyncio.sleep(0)
    try:
        yield running
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def done(store: SharedStore, *commands: Command) -> list[Notice]:
    """Carry out commands and return their notices, which nobody has been told."""
    return notices(await store.worker().handle(commands))
