"""The feed: all notices of a doctor are delivered once and in order, even if some arrive late, twice or never."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from agents.actor.actors import DoctorActors
from hub.bus import feed as module
from hub.bus.feed import Feed, FeedIntervals
from hub.bus.messages import Notice, ScheduleNotice
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from tests.agents.actor_fixtures import (
    InterceptedRecords,
    SharedStore,
    book,
    cancel,
    confirm,
    hours,
    leave,
    notices,
    off,
)
from tests.stack import until

QUICK = FeedIntervals(compare_every=0.02, in_flight=0.02, retry_after=0.005)
WITHOUT_COMPARISON = pytest.mark.parametrize("intervals", [replace(QUICK, compare_every=3600)], ids=[""])


@pytest.fixture
def intervals() -> FeedIntervals:
    return QUICK


@dataclass
class Desk:
    """A running feed, its record, and the delivered notices."""

    store: SharedStore
    worker: DoctorActors
    intervals: FeedIntervals = QUICK
    delivered: list[Notice] = field(default_factory=list)
    before_read: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """Awaited once, before the next read of this name."""

    def __post_init__(self) -> None:
        self.feed = Feed(InterceptedRecords(self.store.records, self._before), self.delivered.append, self.intervals)
        self._slots = iter(range(1000))

    async def arrange(self, *commands: Command) -> list[Notice]:
        """Apply these commands and return their notices, undelivered."""
        return notices(await self.worker.handle(commands))

    async def happen(self, how_many: int, doctor: str = "ada") -> list[Notice]:
        """Write this many bookings into the record and return their notices, undelivered."""
        batch = [book("carl", at=next(self._slots), doctor=doctor) for _ in range(how_many)]
        return notices(await self.worker.handle(batch))

    def receive(self, *notices: Notice) -> None:
        for notice in notices:
            self.feed.receive(notice)

    @property
    def seqs(self) -> list[int]:
        return [notice.event.seq for notice in self.delivered]

    async def until_delivered(self, notices: list[Notice]) -> None:
        await until(lambda: len(self.delivered) >= len(notices), f"{len(notices)} notices are delivered")
        assert self.delivered == notices

    async def _before(self, name: str) -> None:
        if name in self.before_read:
            await self.before_read.pop(name)()


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[Desk]:
    task = asyncio.create_task(desk.feed.run())
    await asyncio.sleep(0)
    yield desk
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended


@pytest.fixture
async def desk(store: SharedStore, intervals: FeedIntervals) -> AsyncIterator[Desk]:
    async with running(Desk(store, store.worker(), intervals)) as desk:
        yield desk


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


def mended() -> float:
    return module.MENDED._value.get()


async def test_following_begins_where_the_record_stands(desk: Desk) -> None:
    assert await desk.feed.follow("ada") == 0
    await desk.happen(3, "ben")
    assert await desk.feed.follow("ben") == 3
    assert desk.delivered == []


@WITHOUT_COMPARISON
async def test_what_comes_in_order_is_delivered_as_it_comes(desk: Desk) -> None:
    await desk.feed.follow("ada")
    for notice in await desk.happen(3):
        desk.receive(notice)
        assert desk.delivered[-1] == notice
    assert desk.seqs == [1, 2, 3]


@WITHOUT_COMPARISON
async def test_what_comes_again_is_delivered_once(desk: Desk) -> None:
    await desk.feed.follow("ada")
    one, two, three = await desk.happen(3)
    desk.receive(one, one, two, one, three, two)
    assert desk.delivered == [one, two, three]


@WITHOUT_COMPARISON
async def test_lost_changes_of_hours_are_told_from_the_record_each_as_of_its_own_moment(desk: Desk) -> None:
    await desk.feed.follow("ada")
    one, two, three = (book("carl", at=number) for number in (1, 2, 3))
    lost = await desk.arrange(
        one, two, three, cancel(three), hours(8, 12), cancel(two), hours(), off(at=1), cancel(one)
    )
    lost += await desk.arrange(hours(8, 12), leave())
    (last,) = await desk.arrange(hours(8, 13))
    desk.receive(last)
    await until(lambda: len(desk.delivered) == len(lost) + 1, "all notices are delivered")
    freed = [notice for notice in desk.delivered if notice.event.type == "cancelled"]
    assert [notice.slots[0].available for notice in freed] == [True, False, False]
    # Who holds what may be as of a later moment: what has happened to a slot since is told by later notices.
    assert [as_of_now(notice) for notice in desk.delivered] == [as_of_now(notice) for notice in [*lost, last]]


def as_of_now(notice: Notice) -> Notice:
    return notice.model_copy(update={"taken": ()}) if isinstance(notice, ScheduleNotice) else notice


@WITHOUT_COMPARISON
async def test_what_comes_too_early_waits_for_what_is_before_it(desk: Desk) -> None:
    await desk.feed.follow("ada")
    one, two, three = await desk.happen(3)

    async def the_missing_come_by_themselves() -> None:
        desk.receive(two, one)

    desk.before_read["events_after"] = the_missing_come_by_themselves
    desk.receive(three)
    assert desk.delivered == []
    await desk.until_delivered([one, two, three])


@WITHOUT_COMPARISON
async def test_a_notice_that_never_came_is_read_from_the_record_when_the_next_one_shows_the_gap(desk: Desk) -> None:
    await desk.feed.follow("ada")
    before = mended()
    notices = await desk.happen(4)
    desk.receive(notices[0], notices[3])
    await desk.until_delivered(notices)
    assert mended() - before >= 2
    (five,) = await desk.happen(1)
    desk.receive(five)
    assert desk.delivered[-1] == five


async def test_a_last_notice_that_never_came_is_found_by_comparing_with_the_record(desk: Desk) -> None:
    await desk.feed.follow("ada")
    notices = await desk.happen(2)
    await desk.until_delivered(notices)
    desk.receive(*notices)
    assert len(desk.delivered) == 2


async def test_a_changed_appointment_is_mended_as_it_was_right_after_each_event(desk: Desk) -> None:
    await desk.feed.follow("ada")
    first = book("carl")
    answers = await desk.worker.handle([first, confirm(first), cancel(first)])
    await desk.until_delivered(notices(answers))
    assert [notice.appointment.status.value for notice in desk.delivered] == ["scheduled", "confirmed", "cancelled"]


async def test_more_than_one_read_of_the_record_can_give_is_mended_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = desk.store.records.appointments.events_after
    monkeypatch.setattr(desk.store.records.appointments, "events_after", lambda doctor, after: real(doctor, after, 3))
    await desk.feed.follow("ada")
    await desk.until_delivered(await desk.happen(10))


@WITHOUT_COMPARISON
async def test_what_happens_while_a_gap_is_mended_comes_after_it(desk: Desk) -> None:
    await desk.feed.follow("ada")
    notices = await desk.happen(3)
    later: list[Notice] = []

    async def go_on() -> None:
        later.extend(await desk.happen(2))
        desk.receive(*later)

    desk.before_read["events_after"] = go_on
    desk.receive(notices[2])
    await until(lambda: len(desk.delivered) == 5, "all five are delivered")
    assert desk.delivered == notices + later


@WITHOUT_COMPARISON
async def test_while_the_database_is_away_nothing_is_delivered_out_of_order_and_then_everything_is(desk: Desk) -> None:
    await desk.feed.follow("ada")
    notices = await desk.happen(3)
    away = 3

    async def fail() -> None:
        nonlocal away
        away -= 1
        if away:
            desk.before_read["events_after"] = fail
        raise StoreUnavailable("away")

    desk.before_read["events_after"] = fail
    desk.receive(notices[2])
    await desk.until_delivered(notices)
    assert away == 0


async def test_comparing_goes_on_after_the_database_was_away(desk: Desk) -> None:
    await desk.feed.follow("ada")
    failed = asyncio.Event()

    async def fail() -> None:
        failed.set()
        raise StoreUnavailable("away")

    desk.before_read["last_seq"] = fail
    await asyncio.wait_for(failed.wait(), 5)
    await desk.until_delivered(await desk.happen(1))


async def test_who_cannot_be_followed_now_is_not_followed_by_half(desk: Desk) -> None:
    async def fail() -> None:
        raise StoreUnavailable("away")

    desk.before_read["last_seq"] = fail
    with pytest.raises(StoreUnavailable):
        await desk.feed.follow("ada")
    notices = await desk.happen(2)
    assert await desk.feed.follow("ada") == 2
    desk.feed.unfollow("ada")
    assert "ada" not in desk.feed._followed
    assert notices


@WITHOUT_COMPARISON
async def test_what_happens_while_one_begins_to_follow_is_delivered(desk: Desk) -> None:
    later: list[Notice] = []

    async def go_on() -> None:
        await desk.happen(2)

        async def and_on() -> None:
            later.extend(await desk.happen(2))

        await and_on()

    desk.before_read["last_seq"] = go_on
    assert await desk.feed.follow("ada") == 4
    (five,) = await desk.happen(1)
    desk.receive(*later, five)
    assert desk.delivered[-1] == five


@WITHOUT_COMPARISON
async def test_a_notice_that_comes_while_one_begins_to_follow_reaches_those_who_listened_before(desk: Desk) -> None:
    """Clients that do not follow this doctor receive the notices that arrive. The record has the event already."""
    (one,) = await desk.happen(1)

    async def come() -> None:
        desk.receive(one)

    desk.before_read["last_seq"] = come
    assert await desk.feed.follow("ada") == 1
    assert desk.delivered == [one]


@WITHOUT_COMPARISON
async def test_a_notice_that_the_record_showed_before_the_bus_brought_it_is_delivered_when_it_comes(
    desk: Desk,
) -> None:
    one, two = await desk.happen(2)
    assert await desk.feed.follow("ada") == 2
    (three,) = await desk.happen(1)
    desk.receive(one, two, two, three, two)
    assert desk.delivered == [one, two, three]


async def test_following_begins_with_what_others_here_have_not_been_told(desk: Desk) -> None:
    """A client received the first event, so the doctor concerns it. The second event is lost on the bus."""
    one, two = await desk.happen(2)
    desk.receive(one)
    assert await desk.feed.follow("ada") == 1
    await desk.until_delivered([one, two])


@WITHOUT_COMPARISON
async def test_of_doctors_whom_nobody_follows_what_comes_is_delivered_once(desk: Desk) -> None:
    one, two, three = await desk.happen(3)
    desk.receive(one, one, three, one)
    assert desk.delivered == [one, three]
    assert two not in desk.delivered


@WITHOUT_COMPARISON
async def test_a_gap_of_a_doctor_whom_nobody_follows_any_more_is_nobodys(desk: Desk) -> None:
    await desk.feed.follow("ada")
    notices = await desk.happen(2)
    never = asyncio.Event()
    desk.before_read["events_after"] = never.wait
    desk.receive(notices[1])
    desk.feed.unfollow("ada")
    (three,) = await desk.happen(1)
    desk.receive(three)
    assert desk.delivered[-1] == three


async def test_following_counts(desk: Desk) -> None:
    await desk.feed.follow("ada")
    await desk.feed.follow("ada")
    desk.feed.unfollow("ada")
    await desk.until_delivered(await desk.happen(2))


async def test_two_who_begin_to_follow_at_once_stand_at_the_same_place(desk: Desk) -> None:
    await desk.happen(2)
    assert await asyncio.gather(desk.feed.follow("ada"), desk.feed.follow("ada")) == [2, 2]


async def test_stopping_in_the_middle_of_mending_is_no_failure(store: SharedStore) -> None:
    async with running(Desk(store, store.worker())) as desk:
        await desk.feed.follow("ada")
        notices = await desk.happen(3)
        reading, never = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            reading.set()
            await never.wait()

        desk.before_read["events_after"] = hang
        desk.receive(notices[2])
        await reading.wait()


async def test_a_delivery_that_fails_ends_the_feed(store: SharedStore) -> None:
    def fail(_: Notice) -> None:
        raise ZeroDivisionError

    feed = Feed(store.records, fail, QUICK)
    run = asyncio.create_task(feed.run())
    await asyncio.sleep(0)
    await feed.follow("ada")
    await store.worker().handle([book("carl")])
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run, 5)
    assert caught.group_contains(ZeroDivisionError)


@pytest.fixture(autouse=True)
def _no_task_is_left() -> Iterator[None]:
    yield
    assert not [task for task in asyncio.all_tasks(asyncio.get_event_loop()) if "_mended" in repr(task)]


async def test_every_followed_doctor_is_compared_and_those_behind_are_counted(desk: Desk) -> None:
    doctors = ("ada", "ben", *(f"doctor-{number}" for number in range(40)))
    for doctor in doctors:
        await desk.feed.follow(doctor)
    compared, behind = module.COMPARED._value.get(), module.BEHIND._value.get()
    notices = [*await desk.happen(1, "ada"), *await desk.happen(1, "ben")]
    await until(lambda: len(desk.delivered) == 2, "both are mended")
    assert sorted(notice.doctor_id for notice in desk.delivered) == [notice.doctor_id for notice in notices]
    assert module.BEHIND._value.get() - behind >= 2
    assert module.COMPARED._value.get() - compared >= len(doctors)
    assert module.FOLLOWED._value.get() >= 0
