"""The collection `access_log`. Lines are added, and only an erasure changes any; the database deletes expired ones."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import BulkWriteError

from hub.accounts.access import EVERY_DOCTOR, REFERS_WITHIN, AccessEntry
from hub.records.chunks import chunked
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import DUPLICATE_KEY, translated


class MongoAccessLog:
    """Implements `hub.accounts.ports.AccessRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, entries: Sequence[AccessEntry]) -> None:
        """Insert the lines that are not there yet."""
        if not entries:
            return
        with translated():
            try:
                await self._collection.insert_many([_document(entry) for entry in entries], ordered=False)
            except BulkWriteError as error:
                problems = error.details["writeErrors"]
                if error.details["writeConcernErrors"] or any(each["code"] != DUPLICATE_KEY for each in problems):
                    raise

    async def about(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return the lines about a person of [since, until), by time."""
        # A line of the time may refer to one from before.
        named = await self._find({"people": person_id, "at": {"$gte": since - REFERS_WITHIN, "$lt": until}})
        same = [
            entry
            for part in chunked([entry.id for entry in named])
            for entry in await self._find({"sameAs": {"$in": part}})
        ]
        return _in_order(entry for entry in (*named, *same) if since <= entry.at < until)

    async def by(self, person_id: str, since: datetime, until: datetime) -> list[AccessEntry]:
        """Return what a person did in [since, until), by time."""
        return _in_order(await self._find({"by": person_id, "at": {"$gte": since, "$lt": until}}))

    async def by_ids(self, ids: Collection[str]) -> dict[str, AccessEntry]:
        """Return the lines that exist among the ids."""
        return {one.id: one for part in chunked(ids) for one in await self._find({"_id": {"$in": part}})}

    async def forget_addresses(self, person_id: str) -> None:
        """Remove the network addresses from what a person did, and from refused log-ins to the account."""
        with translated():
            for wanted in ({"by": person_id}, {"people": person_id, "by": {"$exists": False}}):
                await self._collection.update_many(wanted, {"$unset": {"address": ""}})

    async def streams(self, doctor_ids: Collection[str]) -> list[AccessEntry]:
        """Return the lines about sockets that are sent events of these doctors, by time."""
        found = [one for id_ in (*doctor_ids, EVERY_DOCTOR) for one in await self._find({"doctors": id_})]
        return _in_order(found)

    async def _find(self, wanted: Document) -> list[AccessEntry]:
        with translated():
            found = await self._collection.find(wanted).to_list(None)
        return [from_document(AccessEntry, document) for document in found]


def _document(entry: AccessEntry) -> Document:
    # Empty lists are left out: each would be an entry of an index.
    return {name: value for name, value in to_document(entry).items() if value != ()}


def _in_order(entries: Iterable[AccessEntry]) -> list[AccessEntry]:
    return sorted({entry.id: entry for entry in entries}.values(), key=lambda entry: (entry.at, entry.id))
