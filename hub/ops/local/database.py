"""The database for one machine: SecantusDB, which speaks MongoDB's protocol and keeps its data in a folder."""

import os
import sys
from pathlib import Path

from hub.ops.local.listening import listens
from hub.ops.local.process import Program
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect

_EVICTION = "eviction_dirty_target=1MB,eviction_updates_target=1MB"
"""It keeps all indexes in one table of its engine, WiredTiger, whose pages are split when they are written. Left to
itself that is at 5 MB, by whoever reads, under the lock of the whole server: with a few readers at once nobody got that
done, and after 1,900 changes everything stood still for half a minute."""


def database(port: int, data: Path) -> Program:
    """Return the program of a database on this loopback port with its data in `data`, made if missing."""
    return Program(
        name="database",
        command=(
            str(Path(sys.executable).with_name("secantusd-py")),
            *("--host", "127.0.0.1", "--port", str(port), "--storage-path", str(data)),
        ),
        environment={**os.environ, "WIREDTIGER_CONFIG": _EVICTION},  # noqa: TID251  # what it inherits
        port=port,
        answers=lambda: _answers(port),
        works_within=60.0,  # after a kill -9 it first goes through its log
    )


def mongodb_url(port: int) -> str:
    """Return what MONGODB_URL is for a database on this port.

    It prunes its memory of retryable writes at every write, which costs more with each booking, so they are off.
    Only a write that asks for `journal` survives a kill -9 that comes within a tenth of a second of it (measured: all
    of 20 were lost); `hub.records` asks for it with every write.
    A connection on which it announces changes of the topology keeps old versions of everything alive, so that reads
    take longer with each write: it is polled.
    """
    return f"mongodb://127.0.0.1:{port}/clinic?directConnection=true&retryWrites=false&serverMonitoringMode=poll"


async def _answers(port: int) -> bool:
    """Return whether the database answers a ping."""
    if not await listens(port):
        return False
    records = connect(mongodb_url(port))
    try:
        await records.ping()
    except StoreUnavailable:
        return False
    finally:
        await records.close()
    return True
