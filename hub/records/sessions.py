"""The collection `sessions`: login sessions. The database deletes expired sessions."""

import asyncio
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from hub.accounts.account import Refreshed, Session
from hub.records.documents import Document, from_document, to_document
from hub.records.errors import StoreUnavailable, translated

_ATTEMPTS = 50
_OF_A_REFRESH = {"tokenHash", "refreshed", "usedAt"}
_PAUSE = 0.02
"""Seconds between two attempts to read what another request has written."""


class MongoSessions:
    """Implements `hub.records.ports.SessionRecords`."""

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection

    async def add(self, session: Session) -> None:
        """Insert a session."""
        with translated():
            await self._collection.insert_one(to_document(session))

    async def rotate(
        self, session_id: str, presented: str, fresh: str, now: datetime, refreshed: Refreshed | None = None
    ) -> Session | None:
        """Replace the token hash `presented` by `fresh`, or revoke the session if it has another hash."""
        for _ in range(_ATTEMPTS):
            with translated():
                found = await self._collection.find_one({"_id": session_id})
            session = from_document(Session, found) if found else None
            if session is None or session.revoked_at is not None or session.expires_at <= now:
                break
            if session.token_hash != presented:
                if session.was_refreshed_by(presented, refreshed):
                    return session
                break
            after = session.model_copy(update={"token_hash": fresh, "refreshed": refreshed, "used_at": now})
            if await self._replace_token(session, after):
                return after
            # Another request was quicker: read what it made. A majority read may show it a little later.
            await asyncio.sleep(_PAUSE)
        else:
            raise StoreUnavailable("a session that another request changed is not acknowledged by a majority yet")
        await self.revoke(session_id, now)
        return None

    async def _replace_token(self, before: Session, after: Session) -> bool:
        """Write the new token if the session is still live and has the old one; return whether it was written.

        The update decides, not the read before it: of two requests with one token, only one may succeed.
        findOneAndUpdate would do both in one call, but takes ten times as long on the embedded engine.
        """
        wanted = {"_id": before.id, "tokenHash": before.token_hash, "revokedAt": {"$exists": False}}
        changed = {name: value for name, value in to_document(after).items() if name in _OF_A_REFRESH}
        update: Document = {"$set": changed} if after.refreshed else {"$set": changed, "$unset": {"refreshed": ""}}
        with translated():
            written = await self._collection.update_one(wanted, update)
        return bool(written.matched_count)

    async def revoke(self, session_id: str, now: datetime) -> None:
        """Revoke the session."""
        with translated():
            live = {"_id": session_id, "revokedAt": {"$exists": False}}
            await self._collection.update_one(live, {"$set": {"revokedAt": now}})

    async def of_user(self, user_id: str, now: datetime) -> list[Session]:
        """Return the live sessions of a user, the latest first."""
        with translated():
            found = await self._collection.find({"userId": user_id}).to_list(None)
        sessions = [from_document(Session, one) for one in found]
        live = [one for one in sessions if one.revoked_at is None and one.expires_at > now]
        return sorted(live, key=lambda one: (one.created_at, one.id), reverse=True)

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

    async def forget_devices(self, user_id: str) -> None:
        """Remove from the sessions of a user what their programs said of themselves."""
        with translated():
            await self._collection.update_many({"userId": user_id}, {"$unset": {"device": ""}})

    async def revoke_all_from_before(self, restored: Session, now: datetime) -> int:
        """Revoke every live session, and insert one that stands for those that are lost."""
        with translated(None):  # of a large clinic there may be a hundred thousand
            revoked = await self._collection.update_many(
                {"revokedAt": {"$exists": False}}, {"$set": {"revokedAt": now}}
            )
            await self._collection.insert_one(to_document(restored))
        return revoked.modified_count

    async def revoke_all(self, user_id: str, now: datetime, keep_session_id: str | None = None) -> list[str]:
        """Revoke every live session of the user except `keep_session_id`. Returns the revoked ids."""
        with translated():
            found = await self._collection.find({"userId": user_id}, {"revokedAt": 1}).to_list(None)
            live = [one["_id"] for one in found if "revokedAt" not in one and one["_id"] != keep_session_id]
            if live:
                still = {"_id": {"$in": live}, "revokedAt": {"$exists": False}}
                await self._collection.update_many(still, {"$set": {"revokedAt": now}})
        return live
