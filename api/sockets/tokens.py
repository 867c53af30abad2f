"""Access tokens of connected clients: announced before they expire, renewed by `authenticate`, and checked for ever.

A client is disconnected when its token expires, and when its log-in has ended: by a log-out, or because its refresh
token was used twice.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from prometheus_client import Counter

from api.http.problems import Problem
from api.sockets.limits import Limits
from api.sockets.server import Server
from api.sockets.session import Session, SessionRegistry
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.scheduling.values import rfc3339

CLOSED = Counter("clinic_sockets_closed_total", "Clients that were disconnected with a reason, by its code.", ["code"])

_EXPIRED = {"code": "token_expired", "detail": "The access token has expired; connect with a new one."}
_ENDED = {"code": "session_ended", "detail": "This log-in has ended; log in again."}


class Tokens:
    """Reads tokens, and checks those of all sessions.

    `recognise` returns the identity of a token and raises `Problem` for a text that is none. `login_ended` says
    whether the log-in with this id has ended.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # assembled once
        self,
        sessions: SessionRegistry,
        server: Server,
        recognise: Callable[[str], Identity],
        login_ended: Callable[[str], bool],
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._sessions = sessions
        self._server = server
        self._recognise = recognise
        self._login_ended = login_ended
        self._clock = clock
        self._limits = limits

    def read(self, auth: object) -> Identity:
        """Return the identity of a client that connects with this `auth`. Raises `Problem`."""
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            raise Problem("unauthenticated", "Connect with auth: {token}, an access token.")
        return self._recognise(token)

    def renew(self, session: Session, token: str) -> datetime:
        """Replace a session's token; return when the new one expires. Raises `Problem`."""
        identity = self._recognise(token)
        if (identity.user_id, identity.role) != (session.identity.user_id, session.identity.role):
            raise Problem("forbidden", "This is the token of somebody else; connect anew with it.")
        session.identity = identity
        session.warn_at = self.warning_time(identity)
        return identity.expires_at

    def warning_time(self, identity: Identity) -> datetime:
        """Return when to announce the expiry of a token that is used from now on."""
        left = identity.expires_at - self._clock()
        return identity.expires_at - min(self._limits.token_warning, left / 3)

    def require_login(self, session: Session) -> None:
        """Return if the session's log-in has not ended. Raises `Problem`."""
        if self._login_ended(session.identity.session_id):
            raise Problem("invalid_token", _ENDED["detail"])

    async def run(self) -> None:
        """Announce expiries, and disconnect clients whose token or log-in has ended, for ever."""
        while True:
            await asyncio.sleep(self._limits.token_check_every)
            await self._check_all()  # a method, so that no local variable keeps an ended session alive

    async def _check_all(self) -> None:
        now = self._clock()
        for session in list(self._sessions):
            if self._login_ended(session.identity.session_id):
                await self._close(session, _ENDED)
            elif now >= session.identity.expires_at:
                await self._close(session, _EXPIRED)
            elif session.warn_at is not None and now >= session.warn_at:
                session.warn_at = None
                expires_at = rfc3339(session.identity.expires_at)
                self._server.emit([session], "token_expiring", {"expiresAt": expires_at})

    async def _close(self, session: Session, reason: dict[str, str]) -> None:
        CLOSED.labels(reason["code"]).inc()
        self._server.emit([session], "closing", reason)
        await self._server.disconnect(session)
