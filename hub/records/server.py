"""Reads the properties of the database server: version, kind, members and clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from hub.clock import system_clock
from hub.records.documents import Document
from hub.records.errors import DatabaseRefuses

OLDEST_VERSION = "6.0"
"""The first version of MongoDB that supports the partial index of a doctor's slots."""
_OLDEST_WIRE_VERSION = 17
"""The `maxWireVersion` of that version."""
_PRODUCTS = {"secantusVersion": "SecantusDB", "ferretdb": "FerretDB"}
"""Other servers with MongoDB's protocol, by a field of `buildInfo` that only they have."""


@dataclass(frozen=True)
class Server:
    """`version` is the MongoDB version that the server has or imitates. `members` hold data; `arbiters` only vote.

    `clock_ahead` is how far the server's clock is ahead of ours, as precisely as the round trip allows.
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
        """Whether the hub needs a newer version."""
        return self.wire_version < _OLDEST_WIRE_VERSION

    @property
    def takes_commit_quorum(self) -> bool:
        """Whether an index build may have a commit quorum. A single server refuses the option."""
        return self.kind != "single server"


async def ask(client: AsyncIOMotorClient[Document]) -> Server:
    """Return the properties of the server behind the client."""
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
    """Raise `DatabaseRefuses` if the server is older than the hub needs."""
    if server.too_old:
        raise DatabaseRefuses(
            f"{server.product} {server.version} is too old: the hub needs MongoDB {OLDEST_VERSION} or newer, "
            "which supports the partial unique index over the active appointments of a doctor"
        )


async def _build_info(client: AsyncIOMotorClient[Document]) -> dict[str, Any]:
    try:
        return dict(await client.admin.command("buildInfo"))
    except OperationFailure:
        return {}  # some hosts do not allow every user to ask
