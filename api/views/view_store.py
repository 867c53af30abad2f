"""The live views of a process: read from the record at first use, moved on by the feed, dropped by budget.

A view is asked for by the doctor's id. All who ask for the same doctor wait for one read.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge

from api.views.doctor_view import DoctorView, Gap
from api.views.entries import Entry
from api.views.view_reader import ViewReader
from hub.bus.messages import Notice
from hub.bus.ports import NoticeFeed, OnNotice
from hub.clock import Clock
from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

log = structlog.get_logger(__name__)
LOADS = Counter("clinic_views_loaded_total", "Views of doctors that were read from the record.")
EVICTIONS = Counter("clinic_views_evicted_total", "Views that were dropped because the budget was reached.")
BROKEN = Counter("clinic_views_broken_total", "Views that were dropped because a notice did not follow the last one.")
REFRESHED = Counter("clinic_views_refreshed_total", "Comparisons of a view with the record before an answer.")
STALE = Counter("clinic_views_stale_answers_total", "Answers from views that could not be compared with the record.")
HELD = Gauge("clinic_views_held", "Views of doctors in memory.")
BYTES = Gauge("clinic_views_bytes", "Estimated memory of the views, in bytes.")

_MAINTAIN_EVERY = 1.0
"""Seconds between two checks of the budget and of the ages."""
MOST_TOGETHER = 100
"""Doctors whose views are read without being asked for one by one. In a large clinic nobody may ask for most of them,
and the feed compares each with the record."""
_LONGEST_UNUSED = 600.0
"""Seconds after which a view that nobody asks for is dropped: the feed compares each one with the record."""
_LONGEST_HELD = 7 * 24 * 3600.0
"""Seconds after which a view is read again: its window has grown by this time."""


@dataclass(frozen=True)
class ViewIntervals:
    """The intervals of the views, in seconds."""

    proven_for: float = 6.0
    """How long a view is good without the broker, and how long without a comparison before answers say their age. Two
    comparisons of the feed, so that one slow comparison is no outage."""
    in_flight: float = 0.25
    """How long a notice that a client knows of may take to this process before its event is read from the record."""


@dataclass(frozen=True)
class Reading:
    """A view to answer from now. `age`: seconds since it was last known to be complete, None if it is complete."""

    view: DoctorView
    age: float | None = None


@dataclass
class _Held:
    """A view that is held, or read for the first time (`view` is None)."""

    loading: asyncio.Future[DoctorView | None]
    view: DoctorView | None = None
    early: list[Notice] = field(default_factory=list)
    """Notices that arrived during the first read."""
    read_at: float = 0.0
    """When the first read began (this and the other instants: `time.monotonic`)."""
    used_at: float = 0.0
    """When the view was last asked for."""
    proven_at: float = 0.0
    """When the last read of the record began that the view holds."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    refreshing: asyncio.Task[None] | None = None


class ViewStore:
    """Holds the views. `on_notice` takes every notice that the feed delivers."""

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once, in `api.services`
        self,
        records: Records,
        feed: NoticeFeed,
        clock: Clock,
        monotonic: Callable[[], float],
        budget: int,
        intervals: ViewIntervals | None = None,
    ) -> None:
        """Hold views of at most `budget` bytes together, or one."""
        self._records = records
        self._reader = ViewReader(records, clock)
        self._feed = feed
        self._monotonic = monotonic
        self._budget = budget
        self._intervals = intervals or ViewIntervals()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        """By doctor, the least recently used first."""
        self._positions: dict[str, int] = {}
        """The last `seq` of each doctor that a reply to this process had: its clients may know of it."""
        self._missed: set[str] = set()
        """Doctors whose views `all_of` did not find."""
        self._listeners: list[OnNotice] = []
        self._incarnation = feed.state.incarnation
        self._maintained_at = monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        HELD.set_function(lambda: len(self._held))
        BYTES.set_function(self._bytes)

    async def doctor(self, doctor_id: str, at_least: int = 0) -> Reading | None:
        """Return the view of a doctor, after the event `at_least` or later; None if there is no such doctor.

        If the doctor has not reached that event, the view is as the record is. Raises `StoreUnavailable` when the view
        has to be read and the database does not answer.
        """
        self._maintain()
        held = self._held.get(doctor_id) or self._begin(doctor_id)
        self._held.move_to_end(doctor_id)
        held.used_at = self._monotonic()
        view = held.view or await asyncio.shield(held.loading)
        if view is None:
            return None
        at_least = max(at_least, self.position(doctor_id))
        if view.seq < at_least:
            await self._reach(held, view, at_least)
        age = self._monotonic() - max(held.proven_at, self._feed.state.compared_at)
        if not self._feed.state.connected:
            try:
                await self._compare(held, view)
            except StoreUnavailable:
                if age > self._intervals.proven_for:
                    raise
                STALE.inc()
                return Reading(view, age)
        elif age > self._intervals.proven_for:
            STALE.inc()
            return Reading(view, age)
        return Reading(view)

    async def compared(self, doctor_id: str) -> Reading | None:
        """Return the view of a doctor, at least as new as the record is now; None if there is no such doctor.

        All who ask meanwhile wait for the same read. Raises `StoreUnavailable` when the database does not answer.
        """
        called = self._monotonic()
        while (reading := await self.doctor(doctor_id)) is not None:
            held = self._held.get(doctor_id)
            if held is not None and held.view is reading.view:
                if held.proven_at < called:
                    await self._compare(held, reading.view)
                return Reading(reading.view)
        return None

    def entry(self, appointment_id: str) -> Entry | None:
        """Return an appointment if a view holds it. All but its doctor and its patient may be outdated."""
        for held in self._held.values():
            if held.view is not None and (entry := held.view.appointment(appointment_id)) is not None:
                return entry
        return None

    def all_of(self, doctor_ids: Collection[str]) -> Mapping[str, DoctorView] | None:
        """Return the views of these doctors if all are in memory and none has to say its age; else None.

        None for more doctors than `MOST_TOGETHER`. The views may be behind a reply to this process, or a client:
        `doctor` waits for that.
        """
        self._maintain()
        now, state = self._monotonic(), self._feed.state
        if len(doctor_ids) > MOST_TOGETHER or not state.connected:
            return None
        held = {doctor_id: self._held.get(doctor_id) for doctor_id in doctor_ids}
        self._missed.update(doctor_id for doctor_id, one in held.items() if one is None)
        views: dict[str, DoctorView] = {}
        for doctor_id, one in held.items():
            if one is None or one.view is None:
                return None
            if now - max(one.proven_at, state.compared_at) > self._intervals.proven_for:
                return None
            views[doctor_id] = one.view
        for doctor_id in views:
            self._held[doctor_id].used_at = now
        return views

    def take_missed(self) -> set[str]:
        """Return the doctors whose views were not in memory when those of many were asked for, since the last call."""
        missed, self._missed = self._missed, set()
        return missed

    def holds(self, doctor_id: str) -> bool:
        """Return whether a view of the doctor is in memory, or being read."""
        return doctor_id in self._held

    @property
    def half_empty(self) -> bool:
        """Whether the views take less than half of the budget."""
        return 2 * self._bytes() < self._budget

    def listen(self, listener: OnNotice) -> None:
        """Call `listener` with each notice of the bus or of a reply, perhaps with both, before a view has it."""
        self._listeners.append(listener)

    def seqs(self) -> dict[str, int]:
        """Return the last event of each doctor whose view is in memory."""
        return {doctor_id: held.view.seq for doctor_id, held in self._held.items() if held.view is not None}

    def position(self, doctor_id: str) -> int:
        """Return the doctor's last event that the reply to a command of this process had, 0 for none."""
        return self._positions.get(doctor_id, 0)

    def on_notice(self, notice: Notice) -> None:
        """Take a notice; see `hub.bus.ports.OnNotice`."""
        for listener in self._listeners:
            listener(notice)
        held = self._held.get(notice.doctor_id)
        if held is None:
            return
        if held.view is None:
            held.early.append(notice)
        else:
            self._apply(held, held.view, [notice])

    def on_reply(self, notices: Iterable[Notice]) -> None:
        """Take the notices of a reply before its client is answered: no later answer is from before them."""
        for notice in notices:
            self._positions[notice.doctor_id] = max(self.position(notice.doctor_id), notice.event.seq)
            for listener in self._listeners:
                listener(notice)
            self._feed.told(notice)

    def _begin(self, doctor_id: str) -> _Held:
        held = self._held[doctor_id] = _Held(asyncio.get_running_loop().create_future())
        self._start(self._load(doctor_id, held))
        return held

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _load(self, doctor_id: str, held: _Held) -> None:
        """Read a view for all who wait for it. They get the error if it cannot be read."""
        followed = False
        try:
            began = self._monotonic()
            seq = await self._feed.follow(doctor_id)
            followed = True
            view = await self._reader.read(doctor_id, seq)
            if view is None:
                self._discard(doctor_id, held)
                held.loading.set_result(None)
                return
            await self._reader.catch_up(view)
            LOADS.inc()
            held.read_at = held.proven_at = began
            held.view = view
            self._apply(held, view, held.early)
            held.early.clear()
            held.loading.set_result(view)
            self._evict()
        except BaseException as error:
            self._discard(doctor_id, held, followed=followed)
            if not held.loading.done():
                held.loading.set_exception(error if isinstance(error, Exception) else StoreUnavailable("stopped"))
                held.loading.exception()  # mark it as retrieved: all who waited may have left
            if not isinstance(error, Exception):
                raise

    async def _compare(self, held: _Held, view: DoctorView) -> None:
        """Bring a view to the state of the record, by a read that begins now or later. Raises `StoreUnavailable`."""
        if (earlier := held.refreshing) is not None:
            await asyncio.shield(asyncio.gather(earlier, return_exceptions=True))
        if held.refreshing is None or held.refreshing is earlier:
            REFRESHED.inc()
            held.refreshing = self._start(self._refresh(held, view))
        await asyncio.shield(held.refreshing)

    async def _refresh(self, held: _Held, view: DoctorView) -> None:
        began = self._monotonic()
        try:
            await self._reader.catch_up(view)
            held.proven_at = began
        finally:
            held.refreshing = None
            held.moved.set()

    async def _reach(self, held: _Held, view: DoctorView, at_least: int) -> None:
        """Wait for the notices up to `at_least`; read their events from the record if they do not arrive."""
        try:
            async with asyncio.timeout(self._intervals.in_flight):
                while view.seq < at_least:
                    held.moved.clear()
                    await held.moved.wait()
        except TimeoutError:
            await self._compare(held, view)
            # A server that is no longer primary may not have the event yet.
            if view.seq < at_least and await self._records.appointments.moved_on({view.schedule.id: view.seq}):
                raise StoreUnavailable("the database server that answered is behind") from None

    def _apply(self, held: _Held, view: DoctorView, notices: Iterable[Notice]) -> None:
        try:
            for notice in notices:
                view.apply(notice)
        except Gap:
            BROKEN.inc()
            log.exception("view_broken", doctor_id=view.schedule.id, seq=view.seq)
            self._discard(view.schedule.id, held)
        held.moved.set()

    def _maintain(self) -> None:
        """Drop all views when the broker's life has ended, and now and then those that are too old or too many."""
        now = self._monotonic()
        renewed = self._incarnation != self._feed.state.incarnation
        if not renewed and now - self._maintained_at < _MAINTAIN_EVERY:
            return
        self._incarnation = self._feed.state.incarnation
        self._maintained_at = now
        for doctor_id, held in list(self._held.items()):
            too_old = now - held.used_at > _LONGEST_UNUSED or now - held.read_at > _LONGEST_HELD
            if held.view is not None and (renewed or too_old):
                self._discard(doctor_id, held)
        self._evict()

    def _evict(self) -> None:
        """Drop the least recently used views until the rest is within the budget; never the one used last."""
        total = self._bytes()
        for doctor_id, held in list(self._held.items())[:-1]:
            if total <= self._budget:
                return
            if held.view is not None:
                total -= held.view.size
                EVICTIONS.inc()
                self._discard(doctor_id, held)

    def _discard(self, doctor_id: str, held: _Held, *, followed: bool = True) -> None:
        """Stop holding a view; nothing if another one has replaced it."""
        if self._held.get(doctor_id) is held:
            del self._held[doctor_id]
            if followed:
                self._feed.unfollow(doctor_id)

    def _bytes(self) -> int:
        return sum(held.view.size for held in self._held.values() if held.view is not None)
