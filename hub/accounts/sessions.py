"""Login sessions: a short-lived access token, and a refresh token that is replaced at every use.

A refresh token is `<session id>.<secret>`. The store holds only the hash of the secret. If a secret is used twice, the
token has been stolen, so the whole session ends.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from hub.accounts.account import Account, Session
from hub.accounts.ports import SessionRecords, UserRecords
from hub.accounts.tokens import AccessTokens
from hub.clock import Clock
from hub.ids import new_id, new_secret
from hub.scheduling.values import Role

OnEnded = Callable[[str, datetime], Awaitable[None]]
"""Called with a session id and the instant of its end, after the record has it. May be called more than once."""


@dataclass(frozen=True)
class TokenPair:
    """The tokens that a client stores. `expires_in` is the lifetime of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class SignIn:
    """Starts, refreshes and ends sessions. A session lasts at most `refresh_lifetime`, also if it is refreshed."""

    def __init__(  # noqa: PLR0913, PLR0917  # called once, in `api.services`
        self,
        users: UserRecords,
        sessions: SessionRecords,
        tokens: AccessTokens,
        refresh_lifetime: timedelta,
        clock: Clock,
        on_ended: OnEnded,
    ) -> None:
        self._on_ended = on_ended
        self._users = users
        self._sessions = sessions
        self._tokens = tokens
        self._refresh_lifetime = refresh_lifetime
        self._clock = clock

    async def start(self, account: Account) -> TokenPair:
        """Start a session. The caller has verified the password. Raises `StoreUnavailable`."""
        now, secret = self._clock(), new_secret()
        session = Session(
            id=new_id(),
            user_id=account.id,
            role=account.role,
            token_hash=_hash(secret),
            created_at=now,
            expires_at=now + self._refresh_lifetime,
        )
        await self._sessions.add(session)
        return self._pair(account, session.id, secret)

    async def refresh(self, refresh_token: str) -> tuple[Account, TokenPair] | None:
        """Exchange a refresh token for a new pair. Returns None if it is not valid. Raises `StoreUnavailable`."""
        session_id, _, presented = refresh_token.partition(".")
        secret = new_secret()
        session = await self._sessions.rotate(session_id, _hash(presented), _hash(secret), self._clock())
        if session is None:
            # Report only sessions that exist: the client may have invented the id.
            if ended := await self._sessions.revoked_at(session_id):
                await self._on_ended(session_id, ended)
            return None
        account = await self._users.by_id(session.user_id)
        return (account, self._pair(account, session.id, secret)) if account else None

    async def end(self, session_id: str) -> None:
        """End a session. Raises `StoreUnavailable`."""
        now = self._clock()
        await self._sessions.revoke(session_id, now)
        await self._on_ended(session_id, now)

    async def end_all(self, user_id: str, keep_session_id: str | None = None) -> list[str]:
        """End all sessions of a user except `keep_session_id`. Returns their ids. Raises `StoreUnavailable`."""
        now = self._clock()
        ended = await self._sessions.revoke_all(user_id, now, keep_session_id)
        for session_id in ended:
            await self._on_ended(session_id, now)
        return ended

    def _pair(self, account: Account, session_id: str, secret: str) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.issue(account.id, Role(account.role), session_id),
            refresh_token=f"{session_id}.{secret}",
            expires_in=int(self._tokens.lifetime.total_seconds()),
        )


def _hash(secret: str) -> str:
    """Return the SHA-256 of a secret. The secret is long and random, so unlike a password it needs no slow hash."""
    return sha256(secret.encode()).hexdigest()
