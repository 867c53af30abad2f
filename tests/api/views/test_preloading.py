"""The views that an api process reads at its start: one after the other, and no more than half of its budget."""

import asyncio

import pytest

from api.views.preloading import keep_loaded, preload
from api.views.view_store import MOST_TOGETHER, Reading
from hub.records.errors import BrokenRecord
from tests.agents.actor_fixtures import SharedStore, book
from tests.api.views.clinic import done, process


@pytest.fixture
async def store() -> SharedStore:
    store = SharedStore()
    await store.open()
    return store


async def test_after_a_start_no_reader_waits_for_the_record(store: SharedStore) -> None:
    await done(store, book())
    async with process(store) as api:
        await preload(api.views, api.records)
        before = api.reads.copy()
        for doctor_id in await store.records.users.doctor_ids():
            assert api.views.holds(doctor_id)
            assert await api.views.doctor(doctor_id) is not None
        assert api.reads == before


async def test_it_reads_one_view_at_least_and_stops_when_half_of_the_budget_is_taken(store: SharedStore) -> None:
    await done(store, book())
    async with process(store, budget=1) as api:
        await preload(api.views, api.records)
        assert api.reads["starting_since"] == 1


async def test_it_waits_for_a_database_that_does_not_answer(store: SharedStore) -> None:
    async with process(store) as api:
        api.away = True
        task = asyncio.create_task(preload(api.views, api.records, 0.001))
        while api.reads["doctor_ids"] < 3:  # noqa: ASYNC110  # nothing tells of a read
            await asyncio.sleep(0.001)
        api.away = False
        await task
        assert api.views.holds("ada")


async def test_a_view_that_was_missed_later_is_read(store: SharedStore) -> None:
    async with process(store) as api:
        task = asyncio.create_task(keep_loaded(api.views, api.records, 0.001))
        while not api.views.holds("ada"):  # noqa: ASYNC110  # nothing tells of a read
            await asyncio.sleep(0.001)
        await api.views.doctor("ada")
        api.views._discard("ada", api.views._held["ada"])
        assert api.views.all_of(["ada"]) is None
        while not api.views.holds("ada"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()


async def test_a_doctor_whose_record_is_broken_does_not_keep_the_others_from_being_read(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(store) as api:
        first, *others = await api.records.users.doctor_ids()
        read = api.views.doctor

        async def broken(doctor_id: str, at_least: int = 0) -> Reading | None:
            if doctor_id == first:
                raise BrokenRecord("the appointment a1 is not valid")
            return await read(doctor_id, at_least)

        monkeypatch.setattr(api.views, "doctor", broken)
        await preload(api.views, api.records)
        assert others
        assert all(api.views.holds(doctor_id) for doctor_id in others)


async def test_a_large_clinic_is_not_read_for_a_patients_list(store: SharedStore) -> None:
    async with process(store) as api:
        many = [f"doctor-{number}" for number in range(MOST_TOGETHER + 1)]
        assert api.views.all_of(many) is None
        assert api.views.take_missed() == set()
        assert api.views.all_of(many[1:]) is None
        assert api.views.take_missed() == set(many[1:])
