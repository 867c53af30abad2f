"""The doctors of the clinic and their names, kept in memory for a moment."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from hub.records.errors import StoreUnavailable
from hub.records.ports import Records

FRESH_FOR = 2.0
"""Seconds until the accounts are read again: no notice tells of a new doctor or a new name."""


class DoctorDirectory:
    """The id and the name of every doctor, at most `FRESH_FOR` seconds old.

    While the database does not answer, the last read is used.
    """

    def __init__(self, records: Records, monotonic: Callable[[], float]) -> None:
        self._records = records
        self._monotonic = monotonic
        self._names: Mapping[str, str] | None = None
        self._read_at = 0.0
        self._reading: asyncio.Task[Mapping[str, str]] | None = None

    async def names(self, ids: Collection[str] = ()) -> Mapping[str, str]:
        """Return the names of these doctors, or of all, by id and ordered by name. An unknown id is left out.

        Raises `StoreUnavailable` if the doctors have never been read.
        """
        known = self._names
        if known is None or self._monotonic() - self._read_at > FRESH_FOR or not known.keys() >= set(ids):
            known = await self._read_again()
        return {id_: name for id_, name in known.items() if id_ in ids} if ids else known

    async def _read_again(self) -> Mapping[str, str]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._done)
        # Shielded: other callers wait for the same read.
        return await asyncio.shield(self._reading)

    async def _read(self) -> Mapping[str, str]:
        began = self._monotonic()
        try:
            self._names = {account.id: account.name for account in await self._records.users.doctors()}
        except StoreUnavailable:
            if self._names is None:
                raise
        else:
            self._read_at = began
        return self._names

    def _done(self, reading: asyncio.Task[Mapping[str, str]]) -> None:
        self._reading = None
        if not reading.cancelled():
            reading.exception()  # mark it as retrieved: all callers may have left
