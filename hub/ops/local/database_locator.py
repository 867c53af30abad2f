"""Finding the database for a command that comes beside a run, or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.ops.local.data_dir_lock import DataDirTaken, claimed, running_on
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.process import Process
from hub.ops.local.run import logs_in
from hub.settings import Settings


@asynccontextmanager
async def reached_database(settings: Settings) -> AsyncIterator[str]:
    """Give the URL of the database: the one that is set, that of a run on the DATA_DIR, or else one started for now.

    Raises `DataDirTaken` when a run has the DATA_DIR and uses another database, or is not up yet; `StartFailed`.
    """
    if settings.mongodb_url is not None:
        yield settings.mongodb_url
        return
    if (running := running_on(settings.data_dir)) is None:
        async with _database_for_now(settings) as url:
            yield url
    elif running.mongodb_url is None:
        raise DataDirTaken(f"the run with pid {running.pid} has no database here, or none yet: set MONGODB_URL")
    else:
        yield running.mongodb_url


@asynccontextmanager
async def _database_for_now(settings: Settings) -> AsyncIterator[str]:
    async with claimed(settings.data_dir) as claim:
        store = await start_engine(
            lambda port: database(port, settings.data_dir / "mongo"),
            None,
            lambda program: Process(program, logs_in(settings), held=(claim.held,)),
        )
        try:
            yield mongodb_url(store.port)
        finally:
            await store.stop(patience=10.0)
