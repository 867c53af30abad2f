"""What the commands for the accounts of doctors and receptionists share."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

from pydantic import ValidationError

from hub.ops.local.database_locator import located_database
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import load


@asynccontextmanager
async def store() -> AsyncIterator[Records]:
    """Give the records of the running hub, or of the database in the settings, with all indexes."""
    async with located_database(load()) as url:
        records = connect(url)
        try:
            await records.prepare()
            yield records
        finally:
            await records.close()


def say_invalid(error: ValidationError) -> None:
    """Print what is wrong with each option."""
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        say(": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"]))), sys.stderr)


def say(line: str, where: TextIO | None = None) -> None:
    """Print a line."""
    print(line, file=where, flush=True)  # a command line speaks
