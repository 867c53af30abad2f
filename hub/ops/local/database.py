"""The embedded database for one machine: SecantusDB, which speaks the protocol of MongoDB. Its data is in a folder."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from hub.ops.local.engines import EngineMissing
from hub.ops.local.listening import listens
from hub.ops.local.process import Program
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect

_EVICTION = "eviction_dirty_target=1MB,eviction_updates_target=1MB"
"""SecantusDB stores all indexes in one table of its storage engine, WiredTiger, which splits a page when it writes it.
By default WiredTiger waits until 5 MB are dirty, and then the reading threads do the work under the lock of the whole
server. Measured with a few concurrent readers: no thread finished that work, and after 1,900 changes the server stood
still for 30 seconds."""

ENGINE = ("-m", "hub.ops.local.embedded_database")
"""Arguments with which Python runs the engine."""


def database(port: int, data: Path) -> Program:
    """Return the program of a database on this loopback port with its data in `data`, which is created if missing.

    Raises `EngineMissing` when SecantusDB is not installed.
    """
    if find_spec("secantus") is None:
        raise EngineMissing("database", "MONGODB_URL")
    return Program(
        name="database",
        command=(sys.executable, *ENGINE, "--host", "127.0.0.1", "--port", str(port), "--storage-path", str(data)),
        environment={**os.environ, "WIREDTIGER_CONFIG": _EVICTION},  # noqa: TID251  # the child inherits the environment
        port=port,
        probe=lambda: _answers(port),
        ready_timeout=60.0,  # after a kill -9 it first replays its log
    )


def mongodb_url(port: int) -> str:
    """Return the value of MONGODB_URL for a database on this port.

    Retryable writes are off: SecantusDB prunes its list of them at every write, which costs more with each booking.
    A write without `journal` is lost when a kill -9 follows within 0.1 s (measured: 20 of 20 were lost). `hub.records`
    requests `journal` for every write.
    Server monitoring polls: a streaming monitor connection keeps old versions of all documents alive, and reads then
    take longer with each write.
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
