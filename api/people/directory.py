"""The people of the clinic in the memory of an api process, in step with the record.

All people are read once, and from then on those who changed: before each search, and once a second for the names. So it
does not matter which process wrote. The index is in memory because the embedded database reads every match of a range
before it returns the first, 0.3 s for 431 of 30,000 people, and because a search of several words would be a range of
one word in any database. 100,000 people take some 60 MB.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from api.people.index import PeopleIndex
from api.people.words import Word
from hub.accounts.person import Person, person_of
from hub.accounts.ports import UserRecords
from hub.clock import Clock, system_clock
from hub.records.errors import StoreUnavailable

log = structlog.get_logger(__name__)
HELD = Gauge("clinic_people_held", "People in the index of the search.")

CLOCK_SKEW = timedelta(seconds=15)
"""How much further back changes are read: the clocks of the machines differ, and a write takes a while."""
_EVERY = 1.0
"""Seconds between two reads of what other processes have changed."""
_MISSING_FOR = timedelta(seconds=30)
"""How long an account that does not exist is not looked for again."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 200
"""Changed people that are put into the index before other requests get their turn."""


class Directory:
    """All people by id, and the search for patients."""

    def __init__(self, users: UserRecords, machine_clock: Clock = system_clock, every: float = _EVERY) -> None:
        """`machine_clock` is the clock by which the record says when accounts were written; `every` is in seconds."""
        self._every = every
        self._users = users
        self._machine_clock = machine_clock
        self._index = PeopleIndex()
        self._read_up_to: datetime | None = None
        """None until all people have been read."""
        self._catching_up: asyncio.Task[None] | None = None
        self._missing: dict[str, datetime] = {}
        """Until when it is believed that there are no such people."""
        self.version = 0
        """Changes with every name that has been given out and is another one now."""
        HELD.set_function(lambda: len(self._index))

    def get(self, person_id: str) -> Person | None:
        """Return a person if this process knows of one, as the record was at most some seconds ago."""
        return self._index.get(person_id)

    def put(self, person: Person) -> None:
        """Take what this process has written, before it answers."""
        before = self._index.get(person.id)
        self._index.put(person)
        if self._missing.pop(person.id, None) or (before is not None and before.name != person.name):
            self.version += 1

    def erase(self, person_id: str) -> None:
        """Forget who an erased patient was, before the record is read again."""
        person = self._index.get(person_id)
        if person is not None and not person.erased:
            self.put(replace(person, name="", email=None, phone=None, has_log_in=False, erased=True))

    def knows(self, person_id: str) -> bool:
        """Return whether the person's name is known, or that there is no such person."""
        if self._index.get(person_id) is not None:
            return True
        return self._missing.get(person_id, _LONG_AGO) > self._machine_clock()

    async def by_ids(self, ids: Collection[str]) -> Mapping[str, Person]:
        """Return the people that exist among the ids; reads those who are not in memory. Raises `StoreUnavailable`."""
        if unknown := [id_ for id_ in ids if self._index.get(id_) is None]:
            for account in (await self._users.by_ids(unknown)).values():
                self.put(person_of(account))
            until = self._machine_clock() + _MISSING_FOR
            self._missing |= {id_: until for id_ in unknown if self._index.get(id_) is None}
        return {id_: person for id_ in ids if (person := self._index.get(id_)) is not None}

    async def search_patients(
        self, words: Sequence[Word], limit: int, among: Collection[str] | None = None
    ) -> list[Person]:
        """Return at most `limit` patients whom all words find, as the record is now or later.

        Those who were joined with another account are not shown. `among` are the ids of those who may be shown (None:
        all). Raises `StoreUnavailable`.
        """
        await self._catch_up()
        return self._index.search(
            words, limit, among, lambda person: person.role == "patient" and not person.joined_into
        )

    async def run(self) -> None:
        """Read all people, and then what changes, for ever."""
        while True:
            with suppress(StoreUnavailable):  # read again after the pause; the feed's comparison logs the outage
                await self._catch_up()
            await asyncio.sleep(self._every)

    async def _catch_up(self) -> None:
        """Bring the index to the state of the record, by a read that begins now or later."""
        if (earlier := self._catching_up) is not None:
            await asyncio.wait([earlier])
        if self._catching_up is None or self._catching_up is earlier:
            self._catching_up = asyncio.create_task(self._read())
        await asyncio.shield(self._catching_up)

    async def _read(self) -> None:
        try:
            began = self._machine_clock()
            if self._read_up_to is None:
                self._index = await self._read_all()
                self.version += 1
                self._read_up_to = began
            changed = await self._users.people_changed(self._read_up_to - CLOCK_SKEW)
            for number, person in enumerate(changed, start=1):
                self.put(person)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            self._read_up_to = began
        finally:
            self._catching_up = None

    async def _read_all(self) -> PeopleIndex:
        people: list[Person] = []
        async for batch in self._users.people():
            people += batch
        index = await asyncio.to_thread(PeopleIndex, people)
        log.info("people_read", people=len(people))
        return index
