"""The views of a process: never from before what a client knows, complete or with their age, within a budget."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from api.views import view_store as module
from api.views.view_store import Reading
from hub.records.appointment_filter import AppointmentFilter
from hub.records.errors import StoreUnavailable
from tests.agents.actor_fixtures import SharedStore, book, cancel, confirm, hours, move, off, slot
from tests.api.views.clinic import Process, done, process

ALL = AppointmentFilter(doctor_id="ada")


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


@pytest.fixture
async def api(store: SharedStore) -> AsyncIterator[Process]:
    async with process(store) as api:
        yield api


async def read(api: Process, doctor: str = "ada", at_least: int = 0) -> Reading:
    reading = await api.views.doctor(doctor, at_least)
    assert reading is not None
    return reading


def ids(reading: Reading) -> list[str]:
    page = reading.view.page(ALL, 100)
    assert page is not None
    return [entry.id for entry in page]


async def test_all_who_ask_for_a_doctor_wait_for_one_read(api: Process, store: SharedStore) -> None:
    booking = book()
    await done(store, booking)
    readings = await asyncio.gather(*(read(api) for _ in range(20)))
    assert [ids(reading) for reading in readings] == [[booking.id]] * 20
    assert api.reads["starting_since"] == 1
    await read(api)
    assert api.reads["starting_since"] == 1


async def test_a_doctor_who_does_not_exist_has_no_view_and_is_not_followed(api: Process) -> None:
    assert await api.views.doctor("nobody") is None
    assert not api.views.holds("nobody")
    assert api.feed._followed == {}


async def test_notices_move_a_view_on_without_a_read(api: Process, store: SharedStore) -> None:
    await read(api)
    one, two = book(at=1), book("dora", at=2)
    api.receive(await done(store, one, two, confirm(one), move(two, 4), cancel(one), hours(8, 12)))
    before = api.reads.total()
    reading = await read(api)
    assert (reading.view.seq, reading.age, ids(reading)) == (6, None, [one.id, two.id])
    assert [shift.opens for shift in reading.view.schedule.shifts] == [480] * 7
    assert api.reads.total() == before


@pytest.mark.parametrize(
    "during", ["last_seq", "schedule_records", "by_id", "any_before", "starting_since", "events_after"]
)
async def test_what_happens_while_a_view_is_read_is_in_it(api: Process, store: SharedStore, during: str) -> None:
    early, moved, late = book(at=1), book("dora", at=2), book("emil", at=9)
    await done(store, early, moved)

    async def meanwhile() -> None:
        await done(store, late, move(moved, 7), cancel(early), off(at=20))

    api.before_read[during] = meanwhile
    reading = await read(api)
    assert ids(reading) == [early.id, moved.id, late.id]
    assert reading.view.seq == 6
    assert set(reading.view._slot_owners) == {late.start, slot(7)}
    assert len(reading.view.schedule.time_off) == 1


async def test_a_view_that_cannot_be_read_is_an_error_for_all_who_wait_and_is_read_by_the_next(
    api: Process,
) -> None:
    api.away = True
    errors = await asyncio.gather(*(api.views.doctor("ada") for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailable] * 3
    assert api.feed._followed == {}
    api.away = False
    assert (await read(api)).view.seq == 0


async def test_no_answer_is_from_before_a_position_that_the_client_knows(api: Process, store: SharedStore) -> None:
    await read(api)
    booking = book()
    held = await done(store, booking)  # its notice is late
    assert ids(await read(api)) == []
    assert ids(await read(api, at_least=1)) == [booking.id]
    api.receive(held)
    assert ids(await read(api)) == [booking.id]


async def test_a_notice_on_its_way_is_waited_for_and_saves_the_read(api: Process, store: SharedStore) -> None:
    await read(api)
    booking = book()
    held = await done(store, booking)
    before = api.reads.total()
    reading = asyncio.create_task(read(api, at_least=1))
    await asyncio.sleep(0)
    api.receive(held)
    assert ids(await reading) == [booking.id]
    assert api.reads.total() == before


async def test_a_position_that_the_doctor_has_not_reached_is_answered_as_the_record_is(
    api: Process, store: SharedStore
) -> None:
    await read(api)
    booking = book()
    await done(store, booking)
    assert ids(await read(api, at_least=1000)) == [booking.id]


async def test_a_database_server_that_is_behind_is_not_answered_from(api: Process, store: SharedStore) -> None:
    """A former primary may answer reads for some seconds after its successor has acknowledged writes."""
    await read(api)
    await done(store, book())

    async def none_after(*_: object, **__: object) -> list[object]:
        return []

    api.views._records.appointments.events_after = none_after  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await api.views.doctor("ada", 1)


async def test_the_reply_to_a_command_is_in_every_later_answer_of_its_process(api: Process, store: SharedStore) -> None:
    await read(api)
    lost, own = book("dora", at=1), book(at=2)
    told = await done(store, lost, own)
    api.views.on_reply(told[1:])  # the notice of the other booking is lost
    assert ids(await read(api)) == [lost.id, own.id]
    assert api.views.position("ada") == 2


async def test_without_the_database_a_complete_view_says_its_age(api: Process, store: SharedStore) -> None:
    booking = book()
    await done(store, booking)
    await read(api)
    api.away = True
    api.now += 5
    assert (await read(api)).age is None
    api.now += 25
    stale = module.STALE._value.get()
    reading = await read(api)
    assert (ids(reading), reading.age) == ([booking.id], 30)
    assert module.STALE._value.get() == stale + 1
    with pytest.raises(StoreUnavailable):
        await api.views.doctor("ben")


async def test_without_the_broker_every_answer_is_compared_with_the_record(api: Process, store: SharedStore) -> None:
    await read(api)
    api.feed.state.connected = False
    booking = book()
    await done(store, booking)
    api.now += 100
    reading = await read(api)
    assert (ids(reading), reading.age) == ([booking.id], None)


async def test_without_both_a_view_is_answered_for_two_comparisons_and_then_no_more(api: Process) -> None:
    await read(api)
    api.feed.state.connected = False
    api.away = True
    api.now += 5
    assert (await read(api)).age == 5
    api.now += 2
    with pytest.raises(StoreUnavailable):
        await api.views.doctor("ada")


async def test_the_end_of_the_brokers_life_ends_all_views(api: Process, store: SharedStore) -> None:
    first = (await read(api)).view
    booking = book()
    await done(store, booking)
    api.feed.state.incarnation += 1
    reading = await read(api)
    assert reading.view is not first
    assert ids(reading) == [booking.id]
    assert api.feed._followed["ada"].followers == 1


async def test_a_view_whose_chain_is_broken_is_read_again(api: Process, store: SharedStore) -> None:
    await read(api)
    _, second = await done(store, book(at=1), book(at=2))
    broken = module.BROKEN._value.get()
    api.views.on_notice(second)
    assert module.BROKEN._value.get() == broken + 1
    assert len(ids(await read(api))) == 2


async def test_the_least_recently_used_views_go_when_the_budget_is_reached(store: SharedStore) -> None:
    await done(store, *(book(at=number) for number in range(5)))
    await done(store, *(book("dora", at=number, doctor="ben") for number in range(5)))
    async with process(store, budget=7_000) as api:
        size = (await read(api)).view.size
        assert 3_500 < size < 7_000
        evicted = module.EVICTIONS._value.get()
        await read(api, "ben")
        assert (api.views.holds("ada"), api.views.holds("ben")) == (False, True)
        assert module.EVICTIONS._value.get() == evicted + 1
        assert api.feed._followed.keys() == {"ben"}
        assert len(ids(await read(api))) == 5
        assert api.feed._followed.keys() == {"ada"}


async def test_a_view_that_nobody_asks_for_is_not_followed_for_ever(api: Process) -> None:
    await read(api)
    api.now += 601
    await read(api, "ben")
    assert api.feed._followed.keys() == {"ben"}


async def test_the_size_of_a_view_is_what_it_holds(api: Process, store: SharedStore) -> None:
    view = (await read(api)).view
    assert view.size == 0
    booking = book()
    api.receive(await done(store, booking))
    without = view.size
    view.slots(booking.start.date(), store.now)
    day = view.size - without
    assert day > 1_000
    (moved,) = await done(store, move(booking, 5))
    api.receive([moved])
    (entry,) = view.page(ALL, 10) or []
    assert view.size == entry.size + view.journal.size + day
    view.put(replace(entry, seq=entry.seq - 1))
    assert view.size == entry.size + view.journal.size + day
