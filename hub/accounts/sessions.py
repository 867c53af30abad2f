"""Log-ins: an access token for a while, and a refresh token that is changed for a new one at every use.

A refresh token is `<session id>.<secret>`; the store holds only the hash of the secret. Whoever comes with a secret
that has been used before has stolen it, or was stolen from: either way the whole log-in ends.
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
"""Called with the id of a log-in that is over, and since when, after the record says so; perhaps more than once."""


@dataclass(frozen=True)
class TokenPair:
    """What a client keeps of its log-in; `expires_in` is the life of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class SignIn:
    """Starts, renews and ends log-ins. One lasts for `refresh_lifetime` at most, however often it is renewed."""

    def __init__(  # noqa: PLR0913, PLR0917  # put together once, in `api.services`
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
        """Begin a log-in of somebody who has shown the password. Raises `StoreUnavailable`."""
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
        """Change a refresh token for a new pair; None when it is not, or no longer, good. Raises `StoreUnavailable`."""
        session_id, _, presented = refresh_token.partition(".")
        secret = new_secret()
        session = await self._sessions.rotate(session_id, _hash(presented), _hash(secret), self._clock())
        if session is None:
            # The read tells a log-in that was ended from an id that somebody made up, which nobody needs to hear of.
            if ended := await self._sessions.revoked_at(session_id):
                await self._on_ended(session_id, ended)
            return None
        account = await self._users.by_id(session.user_id)
        return (account, self._pair(account, session.id, secret)) if account else None

    async def end(self, session_id: str) -> None:
        """End a log-in. Raises `StoreUnavailable`."""
        now = self._clock()
        await self._sessions.revoke(session_id, now)
        await self._on_ended(session_id, now)

    async def end_all(self, user_id: str, keep_session_id: str | None = None) -> list[str]:
        """End all log-ins of a user except `keep_session_id`. Returns their ids. Raises `StoreUnavailable`."""
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
    """Return the SHA-256 of a secret. It is random and long, so unlike a password it needs no slow hash."""
    return sha256(secret.encode()).hexdigest()
