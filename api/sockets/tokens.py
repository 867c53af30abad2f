"""The life of a client's token: announced before it ends, renewed on the line, and at its end the client goes.

So does a client whose log-in has ended, somewhere: at a log-out, or because its refresh token was used twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import Counter

from api.http.problems import Problem
from api.sockets import inbound
from api.sockets.appointments import Answer
from api.sockets.server import Server
from api.sockets.session import Client, renew
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.scheduling.values import rfc3339

CLOSED = Counter("clinic_sockets_closed_total", "Clients that were sent away with a reason, by its code.", ["code"])

_EVERY = 0.25
"""Seconds between two looks at all tokens: cheaper than a timer for each."""

_EXPIRED = {"code": "token_expired", "detail": "The access token has expired; connect with a new one."}
_ENDED = {"code": "session_ended", "detail": "This log-in has ended; log in again."}


class Tokens:
    """Watches over the tokens of `clients`, by sid."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        server: Server,
        recognise: Callable[[str], Identity],
        ended: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        """Know tokens by `recognise`, which raises `Problem` for a text that is none, and ended log-ins by their id."""
        self._ended = ended
        self._clients = clients
        self._server = server
        self._recognise = recognise
        self._clock = clock

    def read(self, auth: object) -> Identity:
        """Return who connects with this `auth`. Raises `Problem`."""
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            raise Problem("unauthenticated", "Connect with auth: {token}, an access token.")
        return self._recognise(token)

    async def authenticate(self, client: Client, args: Sequence[object]) -> Answer:
        """Take a new token for the one that expires, as a command."""
        identity = self._recognise(inbound.read(inbound.Authenticate, args).token)
        if (identity.user_id, identity.role) != (client.identity.user_id, client.identity.role):
            raise Problem("forbidden", "This is the token of somebody else; connect anew with it.")
        renew(client, identity, self._clock())
        return {"expiresAt": rfc3339(identity.expires_at)}

    def hold(self, client: Client) -> None:
        """Return when the client's log-in has not ended. Raises `Problem`."""
        if self._ended(client.identity.session_id):
            raise Problem("invalid_token", _ENDED["detail"])

    async def run(self) -> None:
        """Warn each client whose token runs out, and send away those whose token or log-in is over, for ever."""
        while True:
            await asyncio.sleep(_EVERY)
            now = self._clock()
            for client in list(self._clients.values()):
                if self._ended(client.identity.session_id):
                    await self._close(client, _ENDED)
                elif now >= client.identity.expires_at:
                    await self._close(client, _EXPIRED)
                elif client.warn_at is not None and now >= client.warn_at:
                    client.warn_at = None
                    self._server.tell(
                        [client.sid], "token_expiring", {"expiresAt": rfc3339(client.identity.expires_at)}
                    )

    async def _close(self, client: Client, why: dict[str, str]) -> None:
        CLOSED.labels(why["code"]).inc()
        self._server.tell([client.sid], "closing", why)
        await self._server.hang_up(client.sid)
