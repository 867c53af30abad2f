"""The directory follows the record, whichever process writes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.people.directory import CLOCK_SKEW, Directory
from api.people.words import query_words
from hub.accounts.person import Person, person_of
from hub.clock import system_clock
from hub.records.errors import StoreUnavailable
from hub.records.memory import MemoryUsers
from tests.api.sockets.raw import until
from tests.people import doctor, patient


class Users(MemoryUsers):
    """Counts its reads. `away`: it does not answer. Each read waits for `gate`."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def people(self) -> AsyncIterator[Sequence[Person]]:
        await self._read("people")
        async for batch in super().people():
            yield batch

    async def people_changed(self, since: datetime) -> list[Person]:
        await self._read("people_changed")
        return await super().people_changed(since)

    async def by_ids(self, user_ids: Any) -> Any:
        await self._read("by_ids")
        return await super().by_ids(user_ids)

    async def _read(self, name: str) -> None:
        self.reads[name] += 1
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")


ANN, BOB = patient("ann", name="Ann Berg"), patient("bob", name="Bob Berg", password_hash=None)


async def found(directory: Directory, query: str, **more: Any) -> list[str]:
    return [each.id for each in await directory.search_patients(query_words(query), 20, **more)]


@pytest.fixture
async def users() -> Users:
    users = Users()
    await users.add([ANN, doctor("dora", name="Dora Berg")])
    return users


async def test_a_search_finds_what_other_processes_have_written_before_it(users: Users) -> None:
    directory = Directory(users)
    assert await found(directory, "berg") == ["ann"]  # the doctor is no patient
    await users.add([BOB])
    assert await found(directory, "berg") == ["ann", "bob"]
    await users.change(ANN, ANN.model_copy(update={"name": "Ann Lund"}))
    assert (await found(directory, "berg"), await found(directory, "lund")) == (["bob"], ["ann"])
    assert users.reads == {"people": 1, "people_changed": 4}


async def test_a_machine_whose_clock_is_slow_is_read_as_well(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Directory(users)
    assert await found(directory, "bob") == []
    slow = CLOCK_SKEW - timedelta(seconds=1)
    monkeypatch.setattr("hub.records.memory.system_clock", lambda: system_clock() - slow)
    await users.add([BOB])
    assert await found(directory, "bob") == ["bob"]


async def test_searches_that_wait_share_a_read_that_began_after_all_of_them(users: Users) -> None:
    directory = Directory(users)
    await found(directory, "ann")
    users.gate.clear()
    first = asyncio.create_task(found(directory, "bob"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await users.add([BOB])
    later = [asyncio.create_task(found(directory, "bob")) for _ in range(5)]
    users.gate.set()
    await first
    assert await asyncio.gather(*later) == [["bob"]] * 5
    assert users.reads["people_changed"] == 3


async def test_nobody_is_lost_when_the_database_was_away(users: Users) -> None:
    directory = Directory(users)
    users.away = True
    with pytest.raises(StoreUnavailable):
        await found(directory, "ann")
    users.away = False
    assert await found(directory, "ann") == ["ann"]
    users.away = True
    with pytest.raises(StoreUnavailable):
        await found(directory, "ann")
    await users.add([BOB])
    users.away = False
    assert await found(directory, "berg") == ["ann", "bob"]


async def test_names_are_known_without_a_search(users: Users) -> None:
    directory = Directory(users, every=0.01)
    assert directory.get("ann") is None
    assert await directory.by_ids(["ann", "nobody"]) == {"ann": person_of(ANN)}
    assert users.reads == {"by_ids": 1}
    running = asyncio.create_task(directory.run())
    await until(lambda: directory.get("dora"))
    await users.change(ANN, ANN.model_copy(update={"name": "Ann Lund"}))
    await until(lambda: directory.get("ann").name == "Ann Lund")
    running.cancel()


async def test_what_the_process_has_written_is_known_at_once(users: Users) -> None:
    directory = Directory(users)
    directory.put(person_of(BOB))
    assert directory.get("bob") == person_of(BOB)


async def test_only_some_are_shown(users: Users) -> None:
    await users.add([BOB])
    directory = Directory(users)
    assert await found(directory, "berg", among={"bob", "dora", "nobody"}) == ["bob"]
    assert await found(directory, "berg", among=set()) == []
