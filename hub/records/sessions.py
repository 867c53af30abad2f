"""The collection `sessions`: login sessions. The database deletes expired sessions."""

from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from hub.accounts.account import Session
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import translated


class MongoSessions:
    """Implements `hub.records.ports.SessionRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, session: Session) -> None:
        """Insert a session."""
        with translated():
            await self._collection.insert_one(to_document(session))

    async def rotate(self, session_id: str, presented: str, fresh: str, now: datetime) -> Session | None:
        """Replace the token hash `presented` by `fresh`, or revoke the session if it has another hash."""
        live = {
            "_id": session_id,
            "tokenHash": presented,
            "expiresAt": {"$gt": now},
            "revokedAt": {"$exists": False},
        }
        with translated():
            # The update decides, not the read before it: of two requests with the same token, only one may succeed.
            # findOneAndUpdate would do both in one call, but takes ten times as long on the embedded engine.
            found = await self._collection.find_one(live)
            rotated = await self._collection.update_one(live, {"$set": {"tokenHash": fresh}}) if found else None
        if found is None or rotated is None or not rotated.matched_count:
            await self.revoke(session_id, now)
            return None
        return from_document(Session, {**found, "tokenHash": fresh})

    async def revoke(self, session_id: str, now: datetime) -> None:
        """Revoke the session."""
        with translated():
            live = {"_id": session_id, "revokedAt": {"$exists": False}}
            await self._collection.update_one(live, {"$set": {"revokedAt": now}})

    async def revoked_at(self, session_id: str) -> datetime | None:
        """Return when the session was revoked."""
        with translated():
            found = await self._collection.find_one({"_id": session_id}, {"revokedAt": 1})
        return found.get("revokedAt") if found else None

    async def revoked_since(self, since: datetime) -> dict[str, datetime]:
        """Return the sessions that were revoked at `since` or later."""
        with translated():
            found = await self._collection.find({"revokedAt": {"$gte": since}}, {"revokedAt": 1}).to_list(None)
        return {session["_id"]: session["revokedAt"] for session in found}

    async def revoke_all(self, user_id: str, now: datetime, keep_session_id: str | None = None) -> list[str]:
        """Revoke every live session of the user except `keep_session_id`. Returns the revoked ids."""
        with translated():
            found = await self._collection.find({"userId": user_id}, {"revokedAt": 1}).to_list(None)
            live = [one["_id"] for one in found if "revokedAt" not in one and one["_id"] != keep_session_id]
            if live:
                still = {"_id": {"$in": live}, "revokedAt": {"$exists": False}}
                await self._collection.update_many(still, {"$set": {"revokedAt": now}})
        return live
