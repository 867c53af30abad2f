"""The store's errors in words of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

ANSWER_WITHIN = 5.0
"""Seconds the database has for one call, everything included: waiting for a thread, a connection, a new primary."""


class StoreUnavailable(Exception):
    """The database did not answer, or answered that it cannot serve now; the same call may work later."""


class BrokenRecord(Exception):
    """What is stored is not as it must be. The same call fails until a person has mended it; the message says what."""


@contextmanager
def translated(within: float | None = ANSWER_WITHIN) -> Iterator[None]:
    """Give the database `within` seconds, and turn every error of the driver that gets here into `StoreUnavailable`.

    None lets an operation take as long as it needs once a server has been found.
    Duplicate keys are expected answers: the modules of this folder catch them before they get here.
    """
    try:
        # The driver's own time-outs begin when an operation begins. Motor's few threads may all wait for a paused
        # database; a deadline set here also counts the time in the queue behind them.
        with pymongo.timeout(within):
            yield
    except PyMongoError as error:
        # Not chained: the driver's text and details hold documents, and those hold addresses and password hashes.
        raise StoreUnavailable(f"the database did not do it: {_named(error)}") from None


def _named(error: PyMongoError) -> str:
    """Return what may be logged of an error: its type, then the server's address and trouble or the server's code."""
    name = type(error).__name__
    match error:
        case ConnectionFailure():
            return f"{name}, {str(error).partition(',')[0]}"
        case BulkWriteError():
            return f"{name}, codes {sorted({problem['code'] for problem in error.details.get('writeErrors', ())})}"
        case OperationFailure():
            return f"{name}, code {error.code}"
        case _:
            return name
