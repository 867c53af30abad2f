"""Whose waitlists a worker sees to: after every event, after a take-over, and when nobody tells it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import pytest

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from agents.waitlists import TendIntervals, Waitlists
from hub.records.errors import StoreUnavailable
from hub.scheduling.commands import Command
from hub.scheduling.values import Status
from tests.agents.actor_fixtures import SharedStore, back, book, cancel, off, slot
from tests.agents.test_actors_waitlist import accept, decline, waits

QUICK = TendIntervals(compare=0.02, everything=30.0, answer=0.2, retry=0.01)


class Worker:
    """A worker whose commands to tend go to its own actors, as over the bus. It owns the doctors in `owned`."""

    def __init__(self, store: SharedStore, owned: str = "ada ben", intervals: TendIntervals = QUICK) -> None:
        self.store = store
        self.sent: list[str] = []
        self.lost = 0
        """How many of the next commands are lost on their way."""
        self.elsewhere: list[str] = []
        self._queue: asyncio.Queue[Command] = asyncio.Queue()
        self.owned = owned.split()
        self.waitlists = Waitlists(store.records, lambda: store.now, self._send, intervals)
        self.actors = DoctorActors(
            store.records,
            DoctorTable({}),
            lambda: store.now,
            on_saved=self.waitlists.saved,
            on_tended=self.waitlists.tended,
        )
        self.waitlists.take_over(lambda doctor_id: doctor_id in self.owned)

    async def _send(self, command: Command) -> None:
        self.sent.append(command.doctor_id)
        if command.doctor_id not in self.owned:
            self.elsewhere.append(command.doctor_id)
        elif self.lost:
            self.lost -= 1
        else:
            self._queue.put_nowait(command)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.waitlists.run())
            group.create_task(self._decide())

    async def _decide(self) -> None:
        while True:
            await self.actors.handle([await self._queue.get()])
            self._queue.task_done()

    async def is_at_rest(self) -> None:
        """Return when a command has been sent and all that were sent have been decided."""
        async with asyncio.timeout(5):
            while not self.sent:  # noqa: ASYNC110  # nothing tells of a command
                await asyncio.sleep(0.005)
            await self._queue.join()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def open_store() -> SharedStore:
    store = SharedStore(now=slot(-8))
    await store.open()
    return store


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await happens():  # noqa: ASYNC110  # the record has no event to wait for
            await asyncio.sleep(0.005)


def offered_to(store: SharedStore, patient: str, doctor: str = "ada") -> Callable[[], Awaitable[bool]]:
    async def is_offered() -> bool:
        found = await store.records.waitlist.offers(doctor, slot(-100))
        return any(each.patient_id == patient and each.status is Status.OFFERED for each in found)

    return is_offered


async def test_a_new_entry_and_a_freed_slot_are_seen_to() -> None:
    store = await open_store()
    async with Worker(store) as worker:
        taken = book("emil")
        await worker.actors.handle([taken, waits("carl")])
        await worker.actors.handle([cancel(taken)])
        await until(offered_to(store, "carl"))


async def test_a_declined_offer_goes_to_the_next_one() -> None:
    store = await open_store()
    async with Worker(store) as worker:
        await worker.actors.handle([waits("carl"), waits("dora")])
        await until(offered_to(store, "carl"))
        [offer] = await store.records.waitlist.offers("ada", slot(-100))
        await worker.actors.handle([decline(offer)])
        await until(offered_to(store, "dora"))


async def test_a_patient_who_becomes_free_with_another_doctor_is_seen_to_at_once() -> None:
    store = await open_store()
    busy = book("carl", doctor="ben")
    async with Worker(store, intervals=TendIntervals(compare=60, everything=60)) as worker:
        await worker.actors.handle([busy, waits("carl")])
        await worker.actors.handle([cancel(busy)])
        await until(offered_to(store, "carl"))


async def test_the_doctor_of_another_worker_is_sent_the_command_as_well() -> None:
    store = await open_store()
    busy = book("carl", doctor="ben")
    await store.worker().handle([busy, waits("carl")])
    async with Worker(store, owned="ben") as worker:
        await worker.actors.handle([cancel(busy)])

        async def is_told() -> bool:
            return worker.elsewhere == ["ada"]

        await until(is_told)


async def test_after_a_crash_the_next_owner_sees_to_what_was_left() -> None:
    store = await open_store()
    taken = book("emil")
    await store.worker().handle([taken, waits("carl"), cancel(taken)])  # and nobody is told
    async with Worker(store):
        await until(offered_to(store, "carl"))


async def test_an_accepted_offer_whose_entry_was_left_open_by_a_crash_is_closed() -> None:
    store = await open_store()
    first = store.worker()
    await first.handle([waits("carl")])
    async with Worker(store):
        await until(offered_to(store, "carl"))
    [offer] = await store.records.waitlist.offers("ada", slot(-100))
    await first.handle([accept(offer)])
    assert await store.records.waitlist.awaited_doctors() == {"ada"}
    async with Worker(store):

        async def is_closed() -> bool:
            return await store.records.waitlist.awaited_doctors() == set()

        await until(is_closed)


async def test_what_the_command_line_changes_is_found_by_comparing() -> None:
    store = await open_store()
    away = off(0)
    async with Worker(store) as worker:
        await worker.actors.handle([away, waits("carl")])
        await worker.is_at_rest()
        await store.worker().handle([back(away)])
        await until(offered_to(store, "carl"))


async def test_a_lost_command_is_sent_again() -> None:
    store = await open_store()
    async with Worker(store, intervals=TendIntervals(compare=0.02, everything=0.05, answer=0.05)) as worker:
        worker.lost = 2
        await worker.actors.handle([waits("carl")])
        await until(offered_to(store, "carl"))


async def test_without_the_database_it_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store()
    await store.worker().handle([waits("carl")])
    read, failures = store.records.waitlist.awaited_doctors, iter(range(3))

    async def fails(*args: object) -> set[str]:
        if next(failures, None) is not None:
            raise StoreUnavailable("away")
        return await read(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(store.records.waitlist, "awaited_doctors", fails)
    async with Worker(store):
        await until(offered_to(store, "carl"))


async def test_nobody_who_waits_costs_no_command() -> None:
    store = await open_store()
    async with Worker(store) as worker:
        await worker.actors.handle([book("carl")])
        await asyncio.sleep(0.1)
        assert worker.sent == []
