"""What the database says of itself: version, kind, members, clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from hub.clock import system_clock
from hub.records.documents import Document
from hub.records.errors import DatabaseRefuses

OLDEST_VERSION = "6.0"
"""The first version of MongoDB that takes the partial index which keeps a doctor's slots apart."""
_OLDEST_WIRE_VERSION = 17
"""What `hello` of that version says as `maxWireVersion`."""
_PRODUCTS = {"secantusVersion": "SecantusDB", "ferretdb": "FerretDB"}
"""Servers that speak MongoDB's protocol, by a field of `buildInfo` that only they have."""


@dataclass(frozen=True)
class Server:
    """`version` is that of MongoDB which it has, or imitates. `members` hold data; `arbiters` only vote.

    `clock_ahead` is how far the server's clock is ahead of ours, as exactly as the round trip allows.
    """

    product: str
    version: str
    wire_version: int
    kind: Literal["replica set", "mongos", "single server"]
    members: int
    arbiters: int
    clock_ahead: timedelta

    @property
    def too_old(self) -> bool:
        """Whether it is older than what the hub needs."""
        return self.wire_version < _OLDEST_WIRE_VERSION

    @property
    def takes_commit_quorum(self) -> bool:
        """Whether an index build may say how many members have to be done; a single server refuses that."""
        return self.kind != "single server"


async def ask(client: AsyncIOMotorClient[Document]) -> Server:
    """Return what the server behind the client says of itself."""
    asked = system_clock()
    hello = await client.admin.command("hello")
    answered = system_clock()
    build = await _build_info(client)
    their_time: datetime | None = hello.get("localTime")
    ahead = their_time.replace(tzinfo=UTC) - (asked + (answered - asked) / 2) if their_time else timedelta(0)
    return Server(
        product=next((name for field, name in _PRODUCTS.items() if field in build), "MongoDB"),
        version=build.get("version", "unknown"),
        wire_version=hello.get("maxWireVersion", 0),
        kind="mongos" if hello.get("msg") == "isdbgrid" else "replica set" if "setName" in hello else "single server",
        members=len(hello.get("hosts", ())) + len(hello.get("passives", ())),
        arbiters=len(hello.get("arbiters", ())),
        clock_ahead=ahead,
    )


def refuse_too_old(server: Server) -> None:
    """Raise `DatabaseRefuses` when the server is older than what the hub needs."""
    if server.too_old:
        raise DatabaseRefuses(
            f"{server.product} {server.version} is too old: the hub needs MongoDB {OLDEST_VERSION} or newer, "
            "which takes the partial unique index over the active appointments of a doctor"
        )


async def _build_info(client: AsyncIOMotorClient[Document]) -> dict[str, Any]:
    try:
        return dict(await client.admin.command("buildInfo"))
    except OperationFailure:
        return {}  # some hosts do not let everybody ask
