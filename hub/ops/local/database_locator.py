"""Finds the database for a command that runs beside a run of the hub, or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.ops.local.data_dir_lock import DataDirTaken, find_run, locked_data_dir
from hub.ops.local.database import database, mongodb_url
from hub.ops.local.engines import start_engine
from hub.ops.local.process import Process
from hub.ops.local.run import logs_in
from hub.settings import Settings


@asynccontextmanager
async def located_database(settings: Settings) -> AsyncIterator[str]:
    """Give the URL of the database: MONGODB_URL, else that of the run on the DATA_DIR, else of one started here.

    A database that was started here stops at the end of the block. Raises `DataDirTaken` when the run on the DATA_DIR
    uses an external database or has not started its own yet, and `StartFailed`.
    """
    if settings.mongodb_url is not None:
        yield settings.mongodb_url
        return
    if (run := find_run(settings.data_dir)) is None:
        async with _temporary_database(settings) as url:
            yield url
    elif run.mongodb_url is None:
        raise DataDirTaken(f"the run with pid {run.pid} has no database on this machine yet: set MONGODB_URL")
    else:
        yield run.mongodb_url


@asynccontextmanager
async def _temporary_database(settings: Settings) -> AsyncIterator[str]:
    async with locked_data_dir(settings.data_dir) as lock:
        store = await start_engine(
            lambda port: database(port, settings.data_dir / "mongo"),
            None,
            lambda program: Process(program, logs_in(settings), inherited=(lock.descriptor,)),
        )
        try:
            yield mongodb_url(store.port)
        finally:
            await store.stop(grace=10.0)
