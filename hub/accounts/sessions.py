"""Login sessions: a short-lived access token, and a refresh token that is replaced at every use.

A refresh token is `<session id>.<secret>`. The store holds only the hash of the secret. If a secret is used twice, the
token has been stolen, so the whole session ends.

A client whose answer was lost has to use its token twice. It repeats the request with the same idempotency key, and
gets the same pair again for 30 seconds. For that, the new secret is not random but derived: from the old secret, the
key, and a random salt that is stored with the session. The store alone does not give the secret, because it has neither
the old secret nor the key, only their hashes. The old token alone does not give it either, because the salt never
leaves the store. Compared with a key of the server's, nothing has to be configured, and a change of `JWT_SECRET` breaks
no retry.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest

from hub.accounts.account import Account, Refreshed, Session
from hub.accounts.ports import SessionRecords, UserRecords
from hub.accounts.tokens import AccessTokens
from hub.clock import Clock
from hub.ids import new_id, new_secret
from hub.scheduling.values import Role

OnEnded = Callable[[str, datetime], Awaitable[None]]
"""Called with a session id and the instant of its end, after the record has it. May be called more than once."""


@dataclass(frozen=True)
class TokenPair:
    """The tokens that a client stores. `expires_in`: the seconds until the access token expires.

    `replayed`: the pair was given before, to the same request.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    replayed: bool = False


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
        *,
        staff_must_enrol: bool = False,
    ) -> None:
        """With `staff_must_enrol`, staff without a second factor get tokens that are good only to set one up."""
        self._on_ended = on_ended
        self._staff_must_enrol = staff_must_enrol
        self._users = users
        self._sessions = sessions
        self._tokens = tokens
        self._refresh_lifetime = refresh_lifetime
        self._clock = clock

    async def start(self, account: Account, device: str | None = None) -> TokenPair | None:
        """Start a session. The caller has verified the password of `account`. Raises `StoreUnavailable`.

        `device` is what the program that logs in says of itself.

        Returns None if the password has been changed since `account` was read. A change first writes the new hash, then
        ends all sessions. So either it ends this session, or it is seen here.
        """
        now, secret = self._clock(), new_secret()
        session = Session(
            id=new_id(),
            user_id=account.id,
            role=account.role,
            token_hash=_hash(secret),
            created_at=now,
            expires_at=now + self._refresh_lifetime,
            device=device,
        )
        await self._sessions.add(session)
        current = await self._users.by_id(account.id)
        if current is not None and current.password_hash != account.password_hash:
            await self.end(session.id)
            return None
        return self._pair(account, session.id, secret, now)

    async def refresh(self, refresh_token: str, key: str | None = None) -> tuple[Account, TokenPair] | None:
        """Exchange a refresh token for a new pair. Returns None if it is not valid. Raises `StoreUnavailable`.

        With the same `key` the same token gives the same pair again, for 30 seconds and until the new one is used.
        """
        session_id, _, presented = refresh_token.partition(".")
        now, salt, secret = self._clock(), new_secret(), new_secret()
        refreshed = None
        if key is not None:
            refreshed = Refreshed(presented=_hash(presented), key_hash=_hash(key), salt=salt, at=now)
            secret = _derived(presented, key, salt)
        session = await self._sessions.rotate(session_id, _hash(presented), _hash(secret), now, refreshed)
        if session is None:
            # Report only sessions that exist: the client may have invented the id.
            if ended := await self._sessions.revoked_at(session_id):
                await self._on_ended(session_id, ended)
            return None
        account = await self._users.by_id(session.user_id)
        if account is None or account.erased:
            return None
        if key is None or session.refreshed is None or session.refreshed.salt == salt:
            return account, self._pair(account, session.id, secret, now)
        first = session.refreshed
        pair = self._pair(account, session.id, _derived(presented, key, first.salt), first.at)
        return account, replace(
            pair, expires_in=max(0, pair.expires_in - int((now - first.at).total_seconds())), replayed=True
        )

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

    def must_enrol(self, account: Account) -> bool:
        """Return whether the account has to get a second factor before anything else."""
        return self._staff_must_enrol and account.role != "patient" and not account.has_second_factor

    def _pair(self, account: Account, session_id: str, secret: str, at: datetime) -> TokenPair:
        return TokenPair(
            access_token=self._tokens.issue(
                account.id,
                Role(account.role),
                session_id,
                at,
                must_change_password=account.must_change_password,
                must_enrol=self.must_enrol(account),
            ),
            refresh_token=f"{session_id}.{secret}",
            expires_in=int(self._tokens.lifetime.total_seconds()),
        )


def _hash(secret: str) -> str:
    """Return the SHA-256 of a secret. The secret is long and random, so unlike a password it needs no slow hash."""
    return sha256(secret.encode()).hexdigest()


def _derived(presented: str, key: str, salt: str) -> str:
    """Return the secret that follows `presented`: 256 bits, which only the holder of all three can compute."""
    return urlsafe_b64encode(digest(presented.encode(), f"{salt}.{key}".encode(), "sha256")).decode().rstrip("=")
