"""A primary that has been cut off from its replica set and does not know it yet."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pymongo import MongoClient

from tests.tools.mongo_proxy.proxy import Command, Forward
from tests.tools.mongo_proxy.rules import READS, WRITES
from tests.tools.mongo_proxy.wire import Document

_MAX_TIME_EXPIRED = 50
_NOTICES_AFTER = 1.0
"""Seconds that it waits for a majority which does not hear it, where the command says nothing else."""


@dataclass(frozen=True)
class FormerPrimary:
    """The rule: answers reads from the copy of the database that `remembering` made, and loses every write.

    As a member that is cut off does: reads with read concern `local` or `majority` are answered from what it has. A
    write with `w: 1` is acknowledged, and rolled back later. What needs a majority, which are writes with
    `w: majority` and linearizable reads, is not acknowledged.
    """

    copy: str

    async def __call__(self, command: Command, forward: Forward) -> Document:
        """Answer as a former primary."""
        if command.name in READS:
            if command.document.get("readConcern", {}).get("level") == "linearizable":
                await self._wait(command)
                return {"ok": 0.0, "code": _MAX_TIME_EXPIRED, "errmsg": "operation exceeded time limit"}
            return await forward(command.with_fields(**{"$db": self.copy}))
        if command.name in WRITES:
            return await self._write(command)
        return await forward(command)

    async def _write(self, command: Command) -> Document:
        count = len(next((command.document[name] for name in ("documents", "updates") if name in command.document), ()))
        acknowledged: Document = {"ok": 1.0, "n": count, "nModified": count}
        if command.document.get("writeConcern", {}).get("w", 1) != "majority":
            return acknowledged
        await self._wait(command)
        says = {"code": _MAX_TIME_EXPIRED, "codeName": "MaxTimeMSExpired", "errmsg": "operation exceeded time limit"}
        return acknowledged | {"writeConcernError": says}

    async def _wait(self, command: Command) -> None:
        await asyncio.sleep(min(_NOTICES_AFTER, command.document.get("maxTimeMS", 1e9) / 1000))


@contextmanager
def remembering(server: str, database: str) -> Iterator[FormerPrimary]:
    """Copy the database as it is now, and give the rule that answers from the copy; drop the copy afterwards."""
    copy = f"{database}_before"
    with MongoClient[Document](server) as client:
        for name in client[database].list_collection_names():
            if documents := list(client[database][name].find()):
                client[copy][name].insert_many(documents)
        try:
            yield FormerPrimary(copy)
        finally:
            client.drop_database(copy)
