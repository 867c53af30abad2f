"""The life of a client's token: announced before it ends, renewed on the line, and at its end the client goes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from api.problems import Problem
from api.sockets import asks
from api.sockets.appointments import Answer
from api.sockets.client import Client, renew
from api.sockets.server import Server
from hub.accounts.identity import Identity
from hub.clock import Clock
from hub.scheduling.values import rfc3339

_EVERY = 0.5
"""Seconds between two looks at all tokens: cheaper than a timer for each."""


class Tokens:
    """Watches over the tokens of `clients`, by sid."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        server: Server,
        recognise: Callable[[str], Identity],
        clock: Clock,
    ) -> None:
        """Know tokens by `recognise`, which raises `Problem` for a text that is none."""
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
        identity = self._recognise(asks.read(asks.Authenticate, args).token)
        if (identity.user_id, identity.role) != (client.identity.user_id, client.identity.role):
            raise Problem("forbidden", "This is the token of somebody else; connect anew with it.")
        renew(client, identity, self._clock())
        return {"expiresAt": rfc3339(identity.expires_at)}

    async def run(self) -> None:
        """Warn each client whose token runs out, and send away those whose token has, for ever."""
        while True:
            await asyncio.sleep(_EVERY)
            now = self._clock()
            for client in list(self._clients.values()):
                if now >= client.identity.expires_at:
                    why = {"code": "token_expired", "detail": "The access token has expired; connect with a new one."}
                    self._server.tell([client.sid], "closing", why)
                    await self._server.hang_up(client.sid)
                elif client.warn_at is not None and now >= client.warn_at:
                    client.warn_at = None
                    self._server.tell(
                        [client.sid], "token_expiring", {"expiresAt": rfc3339(client.identity.expires_at)}
                    )
