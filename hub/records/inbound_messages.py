"""The collections `inbound_texts`, `opt_outs` and `line_halts`: input from recipients and carriers."""

from collections.abc import Collection
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError

from hub.records.chunks import chunked
from hub.records.documents import BEYOND, Document, from_document, to_document
from hub.records.errors import StoreUnavailable, translated
from hub.texting.inbound_text import InboundText
from hub.texting.ports import LineHalt


class MongoInboundTexts:
    """Implements `hub.texting.ports.InboundTexts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def receive(self, message: InboundText) -> InboundText:
        """Store a message and return it, or return the stored message with this id."""
        with translated():
            try:
                await self._collection.insert_one(to_document(message))
            except DuplicateKeyError:
                stored = await self._collection.find_one({"_id": message.id})
            else:
                return message
        if stored is None:
            raise StoreUnavailable("a stored message is not acknowledged by a majority yet")
        return from_document(InboundText, stored)

    async def bind(self, message_id: str, appointment_id: str) -> str:
        """Store that the message is about an appointment, unless it is about one already. Return the stored id."""
        unbound = {"_id": message_id, "about": {"$exists": False}}
        with translated():
            changed = await self._collection.update_one(unbound, {"$set": {"about": appointment_id}})
            if changed.matched_count:
                return appointment_id
            stored = await self._collection.find_one({"_id": message_id})
        if stored is None or "about" not in stored:
            raise StoreUnavailable("a stored message is not acknowledged by a majority yet")
        return str(stored["about"])

    async def answered(self, message_id: str, answer: str, *, decided: bool) -> None:
        """Store our reply. The first stored reply stays."""
        unanswered = {"_id": message_id, "answer": {"$exists": False}}
        with translated():
            await self._collection.update_one(unanswered, {"$set": {"answer": answer, "decided": decided}})

    async def about_appointments(self, phone: str, since: datetime) -> list[InboundText]:
        """Return the messages from the phone that are about an appointment, the latest first."""
        with translated():
            found = await self._collection.find({"phone": phone, "receivedAt": {"$gte": since}}).to_list(None)
        messages = (from_document(InboundText, each) for each in found)
        return sorted(
            (each for each in messages if each.about), key=lambda each: (each.received_at, each.id), reverse=True
        )

    async def delete_before(self, instant: datetime) -> int:
        """Delete the messages that were received before an instant; return how many."""
        with translated(None):
            return (await self._collection.delete_many({"receivedAt": {"$lt": instant}})).deleted_count

    async def erase(self, phone: str, about: Collection[str] | None) -> None:
        """Remove number and words from messages of a phone: all, or those `about` these appointments."""
        gone = {"$set": {"phone": "", "body": "", "answer": ""}}
        with translated():
            if about is None:
                await self._collection.update_many({"phone": phone}, gone)
                return
            for part in chunked(about):
                await self._collection.update_many({"phone": phone, "about": {"$in": part}}, gone)


class MongoOptOuts:
    """Implements `hub.texting.ports.OptOuts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, phone: str, our_number: str, now: datetime) -> None:
        """Store that `phone` wants no texts from `our_number`."""
        with translated():
            try:
                await self._collection.insert_one({"_id": _pair(phone, our_number), "since": now})
            except DuplicateKeyError:
                return  # already stored

    async def remove(self, phone: str, our_number: str) -> None:
        """Delete the opt-out."""
        with translated():
            await self._collection.delete_one({"_id": _pair(phone, our_number)})

    async def forget(self, phone: str) -> None:
        """Delete the opt-outs of a phone from all our numbers."""
        prefix = _pair(phone, "")
        with translated():
            await self._collection.delete_many({"_id": {"$gte": prefix, "$lt": prefix + BEYOND}})

    async def has(self, phone: str, our_number: str) -> bool:
        """Return whether `phone` wants no texts from `our_number`."""
        with translated():
            return await self._collection.find_one({"_id": _pair(phone, our_number)}) is not None


class MongoLineHalts:
    """Implements `hub.texting.ports.LineHalts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def put(self, our_number: str, code: int, now: datetime) -> None:
        """Store that texts from this number are blocked."""
        with translated():
            await self._collection.replace_one({"_id": our_number}, {"code": code, "at": now}, upsert=True)

    async def latest(self, our_number: str) -> LineHalt | None:
        """Return the last halt of this number."""
        with translated():
            found = await self._collection.find_one({"_id": our_number})
        return LineHalt(found["code"], found["at"]) if found else None


def _pair(phone: str, our_number: str) -> str:
    return f"{phone} {our_number}"
