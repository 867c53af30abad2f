"""One connected client."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.accounts.identity import Identity

_WARNING = timedelta(seconds=60)
"""How long before its end a client is told that its token expires; a third of its life when that is shorter."""


@dataclass(eq=False)
class Client:
    """Who it is, and what it waits for. `warn_at` is None once the client has been warned."""

    sid: str
    identity: Identity
    address: str | None
    """Where it connects from, as our proxies say it."""
    warn_at: datetime | None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Its commands are carried out one after the other, in the order they came."""
    pending: int = 0
    gone: bool = False
    """Whether the connection has ended; what it asked for before may still wait for its turn."""


def admitted(sid: str, identity: Identity, address: str | None, now: datetime) -> Client:
    """Return a new client with this identity."""
    return Client(sid, identity, address, _warn_at(identity, now))


def renew(client: Client, identity: Identity, now: datetime) -> None:
    """Give a client a new identity of the same person, from a new token."""
    client.identity = identity
    client.warn_at = _warn_at(identity, now)


def _warn_at(identity: Identity, now: datetime) -> datetime:
    left: timedelta = identity.expires_at - now
    return identity.expires_at - min(_WARNING, left / 3)
