"""What comes back: `inbound_texts`, what people write, `opt_outs`, who wants none, `line_halts`, what carriers stop."""

from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError

from hub.records.documents import Document, from_document, to_document
from hub.records.errors import StoreUnavailable, translated
from hub.texting.inbound_text import InboundText
from hub.texting.ports import LineHalt


class MongoInboundTexts:
    """Implements `hub.texting.ports.InboundTexts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def receive(self, message: InboundText) -> InboundText:
        """Keep a message and return it, or what is stored of this id already."""
        with translated():
            try:
                await self._collection.insert_one(to_document(message))
            except DuplicateKeyError:
                stored = await self._collection.find_one({"_id": message.id})
            else:
                return message
        if stored is None:
            raise StoreUnavailable("a message that is there already is not acknowledged yet")
        return from_document(InboundText, stored)

    async def answered(self, message_id: str, answer: str) -> None:
        """Keep what the sender was told; the first answer stays."""
        unanswered = {"_id": message_id, "answer": {"$exists": False}}
        with translated():
            await self._collection.update_one(unanswered, {"$set": {"answer": answer}})


class MongoOptOuts:
    """Implements `hub.texting.ports.OptOuts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, phone: str, our_number: str, now: datetime) -> None:
        """Remember that `phone` wants no texts from `our_number`."""
        with translated():
            try:
                await self._collection.insert_one({"_id": _pair(phone, our_number), "since": now})
            except DuplicateKeyError:
                return  # remembered already

    async def remove(self, phone: str, our_number: str) -> None:
        """Forget it: they have sent START."""
        with translated():
            await self._collection.delete_one({"_id": _pair(phone, our_number)})

    async def has(self, phone: str, our_number: str) -> bool:
        """Return whether `phone` wants no texts from `our_number`."""
        with translated():
            return await self._collection.find_one({"_id": _pair(phone, our_number)}) is not None


class MongoLineHalts:
    """Implements `hub.texting.ports.LineHalts`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def put(self, our_number: str, code: int, now: datetime) -> None:
        """Keep that texts from this number are kept back."""
        with translated():
            await self._collection.replace_one({"_id": our_number}, {"code": code, "at": now}, upsert=True)

    async def latest(self, our_number: str) -> LineHalt | None:
        """Return the last report about this number."""
        with translated():
            found = await self._collection.find_one({"_id": our_number})
        return LineHalt(found["code"], found["at"]) if found else None


def _pair(phone: str, our_number: str) -> str:
    return f"{phone} {our_number}"
